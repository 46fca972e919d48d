package graphstore

import (
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// op writes a row, or removes it when value is nil. What is behind value in its array belongs to the op: see seal.
type op struct {
	key, value []byte
}

// commit makes ops, those of the commit of this number, durable, all or none of them.
//
// One badger transaction does that: badger writes it to one memtable's log
// with an end mark, and its recovery drops what has none. But a transaction is
// bounded (15 % of a memtable), and a batch of artifacts with large
// neighbourhoods may be larger. The obvious way out, badger's WriteBatch, cuts
// the batch into transactions and commits each by itself: after a crash
// between two of them, edges point at nodes that are not there, and offsets
// claim effects that never happened. So do several transactions with one
// timestamp in managed mode: recovery looks at each alone. A larger memtable
// only moves the bound. Hence the redo log, see redo.go.
func (s *Store) commit(number uint64, ops []op) error {
	if s.fits(ops) {
		err := s.write("commit", ops)
		if !errors.Is(err, badger.ErrTxnTooBig) {
			return err
		}
		// Badger refused the whole and wrote nothing. fits is meant to overestimate
		// what badger counts; should it ever not, the redo log still takes ops.
	}
	return s.commitRedo(number, ops)
}

// Overheads of a row in a transaction by badger's reckoning, and a margin for
// its own end mark.
const (
	rowOverhead = 24
	rowsMargin  = 8
	bytesMargin = 4096
	pointerSize = 12
)

// cost is what a row takes of a transaction's bytes, and of the value log. All values of a transaction go to one file,
// which grows with them; badger fails for good when it would be larger than 4 GiB.
func (s *Store) cost(o *op) (bytes, logged int64) {
	size := int64(len(o.value) + sealSize)
	if size >= s.threshold {
		size, logged = pointerSize, size
	}
	return int64(len(o.key)) + size + rowOverhead, logged
}

// load is what rows take of a transaction, and of a file of the value log.
type load struct{ rows, bytes, logged int64 }

func (l load) with(s *Store, o *op) load {
	bytes, logged := s.cost(o)
	return load{l.rows + 1, l.bytes + bytes, l.logged + logged}
}

// fits tells whether one transaction takes the rows.
func (l load) fits(s *Store) bool {
	return l.rows+rowsMargin <= s.db.MaxBatchCount() && l.bytes+bytesMargin <= s.db.MaxBatchSize() && l.logged <= s.logFileSize()
}

func (s *Store) fits(ops []op) bool {
	var all load
	for i := range ops {
		all = all.with(s, &ops[i])
	}
	return all.fits(s)
}

func (s *Store) logFileSize() int64 { return int64(s.opts.valueLogMB) * mib }

// before is called before each step.
func (s *Store) before(step string) error {
	if s.opts.BeforeWrite != nil {
		if err := s.opts.BeforeWrite(step); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	return nil
}

// write is one step: one badger transaction.
func (s *Store) write(step string, ops []op) error {
	if err := s.before(step); err != nil {
		return err
	}
	txn := s.db.NewTransaction(true)
	defer txn.Discard()
	for i := range ops {
		var err error
		if ops[i].value == nil {
			err = txn.Delete(ops[i].key)
		} else {
			err = txn.Set(ops[i].key, seal(ops[i].key, ops[i].value))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	if err := txn.Commit(); err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	for i := range ops {
		_, logged := s.cost(&ops[i])
		s.logged.Add(logged)
		if s.opts.Wrote != nil {
			s.opts.Wrote(ops[i].key[0], len(ops[i].key)+len(ops[i].value))
		}
	}
	// A flush that badger only logged as failed is a failure here.
	return s.Err()
}
