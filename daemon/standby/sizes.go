package standby

import (
	"errors"

	"kilim/graphstore"
)

// Sizes is what the state that serves takes in a folder.
type Sizes struct {
	Artifacts int
	Kinds     []graphstore.RowKind
	// Tables and ValueLog are the bytes of the files, with what is replaced and not yet collected.
	Tables, ValueLog int64
}

// ReadSizes reads the sizes of a state folder that no daemon has open.
func ReadSizes(data string, opts graphstore.Options) (out Sizes, err error) {
	store, err := openStore(data, opts)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	out.Artifacts = store.Counts().Artifacts
	out.Tables, out.ValueLog = store.Sizes()
	err = store.View(func(r *graphstore.Reader) (err error) {
		out.Kinds, err = r.RowKinds()
		return err
	})
	return out, err
}
