package graphstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/dgraph-io/badger/v4"
)

// The redo log carries a commit that is larger than one badger transaction:
//
//	1. the rows, packed into chunks under their own prefix, and last the marker, which says how many chunks there are, and their
//	   checksum: the commit has happened when the marker is durable, and not before;
//	2. the rows to their places, and last marker and chunks removed.
//
// Each is written in as few transactions as it takes, since each of them waits for the disk: 1 in one, where the
// chunks, which go to the value log, are no more than a file of it takes.
//
// Open finds a marker and does 2 again, which is idempotent; chunks without a marker are of a commit that never happened, or of one that
// is all in its place, and go. Badger makes transactions durable in their order, so a later commit is never there without the end of 2: an
// old log can't be applied over newer rows. Readers see nothing of it, see snapshot.

// commitRedo makes ops durable, all or none.
func (s *Store) commitRedo(ops []op) error {
	var chunks uint32
	sum := crc32.New(castagnoli)
	limit := s.db.MaxBatchSize() / redoChunkShare
	log := steps{s: s, name: "redo-log"}
	for rest := ops; len(rest) > 0; chunks++ {
		size, n := int64(0), 0
		for n < len(rest) && (n == 0 || size < limit) {
			size += int64(len(rest[n].key) + len(rest[n].value) + 8)
			n++
		}
		chunk := encodeChunk(rest[:n], int(size))
		_, _ = sum.Write(chunk) // never fails
		if err := log.add(op{key: redoKey(chunks), value: chunk}); err != nil {
			return err
		}
		rest = rest[n:]
	}
	marker := binary.AppendUvarint(newRow(16), uint64(chunks))
	marker = binary.LittleEndian.AppendUint32(marker, sum.Sum32())
	if err := log.add(op{key: []byte{keyMarker}, value: marker}); err != nil {
		return err
	}
	if err := log.end(); err != nil {
		return err
	}
	return s.apply(ops, chunks)
}

// apply writes ops to their places and removes the log, the marker first: chunks without it are dropped.
func (s *Store) apply(ops []op, chunks uint32) error {
	rows := steps{s: s, name: "redo-apply"}
	for _, o := range ops {
		if err := rows.add(o); err != nil {
			return err
		}
	}
	if err := rows.add(op{key: []byte{keyMarker}}); err != nil {
		return err
	}
	for i := range chunks {
		if err := rows.add(op{key: redoKey(i)}); err != nil {
			return err
		}
	}
	return rows.end()
}

// steps writes rows in as few transactions as take them, each a step of the given name.
type steps struct {
	s    *Store
	name string
	ops  []op
	load load
}

func (w *steps) add(o op) error {
	with := w.load.with(w.s, &o)
	if len(w.ops) > 0 && !with.fits(w.s) {
		if err := w.end(); err != nil {
			return err
		}
		with = load{}.with(w.s, &o)
	}
	w.ops, w.load = append(w.ops, o), with
	return nil
}

// end writes the rows that are left.
func (w *steps) end() error {
	if len(w.ops) == 0 {
		return nil
	}
	err := w.s.write(w.name, w.ops)
	w.ops, w.load = nil, load{}
	return err
}

// recoverRedo completes or drops what a crash left.
func (s *Store) recoverRedo() error {
	var marker []byte
	var keys [][]byte
	var ops []op
	sum := crc32.New(castagnoli)
	err := s.db.View(func(txn *badger.Txn) error {
		var err error
		if marker, err = getRow(txn, []byte{keyMarker}); err != nil {
			return err
		}
		return scanRows(txn, []byte{keyRedo}, func(k, v []byte) error {
			keys = append(keys, append([]byte(nil), k...))
			if marker == nil {
				return nil
			}
			_, _ = sum.Write(v) // never fails
			ops, err = decodeChunk(ops, v)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("read the redo log: %w", err)
	}
	if marker == nil {
		if len(keys) == 0 {
			return nil
		}
		s.log.Info("dropping a commit that was not complete when the process ended", "chunks", len(keys))
		drop := make([]op, len(keys))
		for i, k := range keys {
			drop[i].key = k
		}
		return s.write("redo-drop", drop)
	}
	d := decodeRow(marker)
	chunks := d.uint32()
	want := d.take(4)
	if err := d.end(); err != nil {
		return fmt.Errorf("read the redo marker: %w", err)
	}
	if int(chunks) != len(keys) || binary.LittleEndian.Uint32(want) != sum.Sum32() {
		return errors.New("the redo log does not match its marker: the folder is damaged")
	}
	s.log.Info("completing a commit that the process had no time to finish", "rows", len(ops))
	return s.apply(ops, chunks)
}

// encodeChunk packs rows; a length of value one too high tells an empty value
// from a removal.
func encodeChunk(ops []op, size int) []byte {
	b := newRow(size)
	b = binary.AppendUvarint(b, uint64(len(ops)))
	for i := range ops {
		b = appendBytes(b, ops[i].key)
		if ops[i].value == nil {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(ops[i].value))+1)
		b = append(b, ops[i].value...)
	}
	return b
}

func decodeChunk(ops []op, row []byte) ([]op, error) {
	d := decodeRow(row)
	for range d.count(2) {
		o := op{key: d.bytes()}
		if n := d.uvarint(); n > 0 {
			o.value = append([]byte{}, d.take(n-1)...)
		}
		if d.err != nil {
			break
		}
		ops = append(ops, o)
	}
	return ops, d.end()
}
