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
//	1. the rows, packed into chunks under their own prefix, one transaction each;
//	2. the marker, which says how many chunks there are, and their checksum:
//	   the commit has happened when the marker is durable, and not before;
//	3. the rows to their places, in as many transactions as it takes;
//	4. marker and chunks removed, in one transaction.
//
// Open finds a marker and does 3 and 4 again, which is idempotent; chunks
// without a marker are of a commit that never happened, and go. Badger makes
// transactions durable in their order, so a later commit is never there
// without step 4: an old log can't be applied over newer rows. Readers see
// nothing of it, see snapshot.

// commitRedo makes ops durable, all or none.
func (s *Store) commitRedo(ops []op) error {
	var chunks uint32
	sum := crc32.New(castagnoli)
	limit := s.db.MaxBatchSize() / redoChunkShare
	for rest := ops; len(rest) > 0; chunks++ {
		size, n := int64(0), 0
		for n < len(rest) && (n == 0 || size < limit) {
			size += int64(len(rest[n].key) + len(rest[n].value) + 8)
			n++
		}
		chunk := encodeChunk(rest[:n], int(size))
		_, _ = sum.Write(chunk) // never fails
		if err := s.write("redo-chunk", []op{{key: redoKey(chunks), value: chunk}}); err != nil {
			return err
		}
		rest = rest[n:]
	}
	marker := binary.AppendUvarint(newRow(16), uint64(chunks))
	marker = binary.LittleEndian.AppendUint32(marker, sum.Sum32())
	if err := s.write("redo-marker", []op{{key: []byte{keyMarker}, value: marker}}); err != nil {
		return err
	}
	if err := s.apply(ops); err != nil {
		return err
	}
	return s.clearRedo(chunks)
}

// apply writes ops in transactions that fit.
func (s *Store) apply(ops []op) error {
	for len(ops) > 0 {
		size, logged, n := int64(bytesMargin), int64(0), 0
		for n < len(ops) && (n == 0 || int64(n+rowsMargin) < s.db.MaxBatchCount()) {
			b, l := s.cost(&ops[n])
			size += b
			logged += l
			if n > 0 && (size > s.db.MaxBatchSize() || logged > s.logFileSize()) {
				break
			}
			n++
		}
		if err := s.write("redo-apply", ops[:n]); err != nil {
			return err
		}
		ops = ops[n:]
	}
	return nil
}

func (s *Store) clearRedo(chunks uint32) error {
	ops := []op{{key: []byte{keyMarker}}}
	for i := range chunks {
		ops = append(ops, op{key: redoKey(i)})
	}
	return s.write("redo-clear", ops)
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
	if err := s.apply(ops); err != nil {
		return err
	}
	return s.clearRedo(chunks)
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
