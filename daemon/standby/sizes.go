package standby

import (
	"errors"

	"kilim/daemon/pipeline/listgraph"
	"kilim/graphstore"
	"kilim/rerank/topk"
)

// Sizes is what the state that serves takes in a folder.
type Sizes struct {
	Artifacts int
	Kinds     []graphstore.RowKind
	// Histories is what lists have become (topk.Row.History), which is within the rows of lists.
	Histories graphstore.RowKind
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
		if out.Kinds, err = r.RowKinds(); err != nil {
			return err
		}
		out.Histories, err = histories(r)
		return err
	})
	return out, err
}

func histories(r *graphstore.Reader) (out graphstore.RowKind, err error) {
	out.Name = "history, in the rows of lists"
	each := r.EachNode(func(n *graphstore.Node) bool {
		if !n.IsArtifact() {
			return true
		}
		var row *topk.Row
		if row, err = topk.Stored(listgraph.Reader{R: r}, uint64(n.ID)); err == nil && row != nil && len(row.History) > 0 {
			out.Rows, out.Bytes = out.Rows+1, out.Bytes+int64(len(row.History))
		}
		return err == nil
	})
	return out, errors.Join(each, err)
}
