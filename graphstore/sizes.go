package graphstore

import "fmt"

// SizeError says what is larger than a store takes. It is an ErrTooLarge. What it is about was not changed, and
// neither the Tx nor the store has failed.
type SizeError struct {
	// What names the key or the row.
	What        string
	Size, Limit int64
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("graphstore: %s is too large: %d bytes, the limit is %d", e.What, e.Size, e.Limit)
}

// Is tells that a SizeError is an ErrTooLarge.
func (e *SizeError) Is(target error) bool { return target == ErrTooLarge }

const (
	// maxKey is less than badger's own limit, 65,000 bytes.
	maxKey = 60_000
	// rowRoom is what a row may need in a file beside its value: its key, and headers.
	rowRoom = 256 << 10
)

// MaxRow is the most bytes that the store takes as one value: a message, an artifact's content, its lists.
//
// Badger refuses a larger one when it is written, in the middle of a commit, with a dump of it: then the store has
// failed for good, and again each time that the same is tried. So the size is looked at before anything is changed.
func (s *Store) MaxRow() int64 { return s.logFileSize() - rowRoom }

func (s *Store) checkSize(what string, size int) error {
	if limit := s.MaxRow(); int64(size) > limit {
		return &SizeError{What: what, Size: int64(size), Limit: limit}
	}
	return nil
}

// checkName limits what becomes a key.
func checkName(what, name string) error {
	if len(name) > maxKey {
		return &SizeError{What: what, Size: int64(len(name)), Limit: maxKey}
	}
	return nil
}

// checkOps looks at rows made at Commit, as nodes are.
func (s *Store) checkOps(ops []op) error {
	for i := range ops {
		if int64(len(ops[i].value)) > s.MaxRow() {
			return s.checkSize(fmt.Sprintf("the row %x", ops[i].key), len(ops[i].value))
		}
	}
	return nil
}
