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
	l := layout{data: data}
	c, err := l.read()
	if err != nil {
		return 0, fmt.Errorf("standby: %w", err)
	}
	dir := l.graph(c.Serving.Number)
	if _, err := os.Stat(dir); err != nil { // graphstore.Open would make one
		return 0, fmt.Errorf("standby: no state to forget the offsets of: %w", err)
	}
	store, err := graphstore.Open(dir, opts)
	if err != nil {
		return 0, fmt.Errorf("standby: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	tx := store.Begin()
	defer tx.Discard()
	if partitions, err = tx.ForgetOffsets(); err != nil {
		return 0, err
	}
	return partitions, tx.Commit()
}
