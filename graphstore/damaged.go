package graphstore

import (
	"errors"
	"fmt"
)

// DamagedError names an artifact whose rows are not as they were written, or gone. It is an ErrDamaged.
type DamagedError struct {
	// Artifact is the artifact's id; empty if it was asked for by its node.
	Artifact string
	Node     NodeID
	Err      error
}

func (e *DamagedError) Error() string {
	name := fmt.Sprintf("%q", e.Artifact)
	if e.Artifact == "" {
		name = fmt.Sprintf("%016x", uint64(e.Node))
	}
	return fmt.Sprintf("graphstore: artifact %s is damaged: %v", name, e.Err)
}

// Is tells that a DamagedError is an ErrDamaged.
func (e *DamagedError) Is(target error) bool { return target == ErrDamaged }

func (e *DamagedError) Unwrap() error { return e.Err }

// errNoContent is returned for an artifact that has one of its two rows only.
var errNoContent = errors.New("its content is missing")

// damaged is the error of reading a document: a DamagedError, or one that has nothing to do with the document.
func (s *Store) damaged(id string, node NodeID, err error) error {
	for _, fault := range []error{errDamagedRow, errTruncated, errTrailing, errNoContent} {
		if errors.Is(err, fault) {
			s.damagedReads.Add(1)
			return &DamagedError{Artifact: id, Node: node, Err: err}
		}
	}
	return fmt.Errorf("graphstore: read artifact %q (%016x): %w", id, uint64(node), err)
}

// DamagedReads is how often a document was read and found damaged, since the store was opened.
func (s *Store) DamagedReads() int64 { return s.damagedReads.Load() }

// DamagedArtifacts are the ids of the artifacts of which Artifact returns an ErrDamaged. It reads every document.
func (r *Reader) DamagedArtifacts() (damaged []string, err error) {
	var ids []string
	if err := r.EachNode(func(n *Node) bool {
		if n.IsArtifact() {
			ids = append(ids, n.Key)
		}
		return true
	}); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, err := r.Artifact(id); errors.Is(err, ErrDamaged) {
			damaged = append(damaged, id)
		} else if err != nil {
			return nil, err
		}
	}
	return damaged, nil
}
