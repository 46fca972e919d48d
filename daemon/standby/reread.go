package standby

import (
	"errors"
	"fmt"
	"os"

	"kilim/graphstore"
)

// ForgetOffsets forgets how far the topic was read, in a state folder that no daemon has open, and tells of how many partitions.
// What is stored stays: the next start reads the topic from its beginning over it. It is how an operator goes on after
// consumer.ErrOtherLog with a log that follows the one which was read.
func ForgetOffsets(data string, opts graphstore.Options) (partitions int, err error) {
	store, err := openStore(data, opts)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	tx := store.Begin()
	defer tx.Discard()
	if partitions, err = tx.ForgetOffsets(); err != nil {
		return 0, err
	}
	return partitions, tx.Commit()
}

// openStore opens the store of the state that serves in a folder that no daemon has open.
func openStore(data string, opts graphstore.Options) (*graphstore.Store, error) {
	l := layout{data: data}
	c, err := l.read()
	if err != nil {
		return nil, fmt.Errorf("standby: %w", err)
	}
	dir := l.graph(c.Serving.Number)
	if _, err := os.Stat(dir); err != nil { // graphstore.Open would make one
		return nil, fmt.Errorf("standby: no state in the folder: %w", err)
	}
	store, err := graphstore.Open(dir, opts)
	if err != nil {
		return nil, fmt.Errorf("standby: %w", err)
	}
	return store, nil
}
