package graphstore

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
)

// The redo log carries a commit that is larger than one badger transaction. It is a file beside badger's:
//
//  1. the rows, packed into chunks, and the head, which says of which commit they are, how many chunks there are, and their checksum:
//     the commit has happened when the file is on the disk with all that its head says, and not before;
//  2. the rows to their places, in as many transactions as it takes, of which the first writes the marker, with the commit's
//     number, and the last removes it and has the counters, with that number too.
//
// Open compares the number in the file with the counters. If it is the next one, the commit has happened and is not all in its place:
// Open does 2 again, which is idempotent. Any other file is that of an earlier commit, or of one that never happened, and is left to be
// overwritten. A file that is damaged counts as one that was never completed, unless the marker says that it was.
// Badger makes transactions durable in their order: so if the last commits are missing from its log, the file's number is not the next
// one. Readers see nothing of all this, see snapshot.
//
// The obvious place for the log, rows in badger under a prefix of their own, has it written twice, to the value log and a
// memtable, and collected again: of an archive that was fed at once, most of the value log was that.
type redoLog struct{ file *os.File }

const (
	redoFile  = "redo"
	redoMagic = "kilimRD1"
	// redoHead is the magic, the number of the commit, of the chunks, their checksum, and that of all before.
	redoHead  = len(redoMagic) + 8 + 4 + 4 + 4
	chunkHead = 4
	// chunkBytes is about the size of a chunk, which is all of the log that is in memory at once.
	chunkBytes = 1 << 20
)

// openRedo opens the file of a folder, and makes it where there is none.
func openRedo(dir string) (*redoLog, error) {
	f, err := os.OpenFile(filepath.Join(dir, redoFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the redo log: %w", err)
	}
	// The name must be on the disk before a commit relies on what is in the file.
	d, err := os.Open(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the redo log: %w", err), f.Close())
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("the redo log: %w", err), f.Close())
	}
	return &redoLog{f}, nil
}

// write writes the rows of a commit. The head is written last, over that of an earlier commit, which no longer fits to what is behind it.
func (l *redoLog) write(commit uint64, ops []op, sync bool) error {
	if err := l.writeAll(commit, ops); err != nil {
		return fmt.Errorf("write the redo log: %w", err)
	}
	if sync {
		if err := l.file.Sync(); err != nil {
			return fmt.Errorf("write the redo log to the disk: %w", err)
		}
	}
	return nil
}

func (l *redoLog) writeAll(commit uint64, ops []op) error {
	sum := crc32.New(castagnoli)
	body := io.NewOffsetWriter(l.file, int64(redoHead))
	out := bufio.NewWriter(io.MultiWriter(body, sum))
	chunks := uint32(0)
	for ; len(ops) > 0; chunks++ {
		size, n := 0, 0
		for n < len(ops) && (n == 0 || size < chunkBytes) {
			size += len(ops[n].key) + len(ops[n].value) + 8
			n++
		}
		chunk := encodeChunk(ops[:n], size)
		if _, err := out.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(chunk)))); err != nil {
			return err
		}
		if _, err := out.Write(chunk); err != nil {
			return err
		}
		ops = ops[n:]
	}
	if err := out.Flush(); err != nil {
		return err
	}
	length, err := body.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if err := l.file.Truncate(int64(redoHead) + length); err != nil {
		return err
	}
	head := binary.LittleEndian.AppendUint64([]byte(redoMagic), commit)
	head = binary.LittleEndian.AppendUint32(head, chunks)
	head = binary.LittleEndian.AppendUint32(head, sum.Sum32())
	head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(head, castagnoli))
	_, err = l.file.WriteAt(head, 0)
	return err
}

// errNoRedo says that the file holds no commit: it is empty, or was never completed, or is damaged.
var errNoRedo = errors.New("the redo log holds no commit")

// commit is the number of the commit whose rows the file holds, by its head.
func (l *redoLog) commit() (commit uint64, chunks, sum uint32, err error) {
	head := make([]byte, redoHead)
	if _, err := l.file.ReadAt(head, 0); errors.Is(err, io.EOF) {
		return 0, 0, 0, errNoRedo
	} else if err != nil {
		return 0, 0, 0, fmt.Errorf("read the redo log: %w", err)
	}
	rest := head[redoHead-4:]
	if string(head[:len(redoMagic)]) != redoMagic || binary.LittleEndian.Uint32(rest) != crc32.Checksum(head[:redoHead-4], castagnoli) {
		return 0, 0, 0, errNoRedo
	}
	at := head[len(redoMagic):]
	return binary.LittleEndian.Uint64(at), binary.LittleEndian.Uint32(at[8:]), binary.LittleEndian.Uint32(at[12:]), nil
}

// read returns the rows of a commit; it is an errNoRedo unless the file holds that one, whole.
func (l *redoLog) read(commit uint64) (ops []op, err error) {
	have, chunks, sum, err := l.commit()
	if err != nil {
		return nil, err
	}
	if have != commit {
		return nil, errNoRedo
	}
	info, err := l.file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the redo log: %w", err)
	}
	check := crc32.New(castagnoli)
	in := io.TeeReader(bufio.NewReader(io.NewSectionReader(l.file, int64(redoHead), info.Size()-int64(redoHead))), check)
	for range chunks {
		var head [chunkHead]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return nil, tornRedo(err)
		}
		length := int64(binary.LittleEndian.Uint32(head[:]))
		if length > info.Size() {
			return nil, errNoRedo
		}
		chunk := make([]byte, length)
		if _, err := io.ReadFull(in, chunk); err != nil {
			return nil, tornRedo(err)
		}
		if ops, err = decodeChunk(ops, chunk); err != nil {
			return nil, fmt.Errorf("%w: %w", errNoRedo, err)
		}
	}
	if check.Sum32() != sum {
		return nil, errNoRedo
	}
	return ops, nil
}

// tornRedo is an errNoRedo of a file that ends too early, or the error of reading it.
func tornRedo(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errNoRedo
	}
	return fmt.Errorf("read the redo log: %w", err)
}

// commitRedo makes ops, those of the commit of this number, durable, all or none.
func (s *Store) commitRedo(commit uint64, ops []op) error {
	if err := s.before("redo-log"); err != nil {
		return err
	}
	if err := s.redo.write(commit, ops, s.opts.SyncWrites == SyncEach); err != nil {
		return err
	}
	return s.apply(commit, ops)
}

// apply writes the rows of a commit to their places, between the marker and its end.
func (s *Store) apply(commit uint64, ops []op) error {
	rows := steps{s: s, name: "redo-apply"}
	if err := rows.add(op{key: []byte{keyMarker}, value: encodeNumber(commit)}); err != nil {
		return err
	}
	for _, o := range ops {
		if err := rows.add(o); err != nil {
			return err
		}
	}
	return rows.end(op{key: []byte{keyMarker}})
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
		if err := w.write(); err != nil {
			return err
		}
		with = load{}.with(w.s, &o)
	}
	w.ops, w.load = append(w.ops, o), with
	return nil
}

func (w *steps) write() error {
	err := w.s.write(w.name, w.ops)
	w.ops, w.load = nil, load{}
	return err
}

// end writes the rows that are left, with one that belongs to them: load has room for it.
func (w *steps) end(last op) error {
	w.ops = append(w.ops, last)
	return w.write()
}

// recoverRedo completes a commit that has happened and is not all in its place.
func (s *Store) recoverRedo() error {
	var done uint64
	var marker []byte
	if err := s.db.View(func(txn *badger.Txn) error {
		row, err := getRow(txn, []byte{keyState})
		if err != nil {
			return fmt.Errorf("read the counters: %w", err)
		}
		if row != nil {
			st, err := decodeState(row)
			if err != nil {
				return fmt.Errorf("read the counters: %w", err)
			}
			done = st.commits
		}
		if marker, err = getRow(txn, []byte{keyMarker}); err != nil {
			return fmt.Errorf("read the redo marker: %w", err)
		}
		return nil
	}); err != nil {
		return err
	}
	ops, err := s.redo.read(done + 1)
	if errors.Is(err, errNoRedo) {
		if marker != nil {
			return fmt.Errorf("a commit is in its place in part, and the rest is not to be found: the folder is damaged: %w", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	s.log.Info("completing a commit that the process had no time to finish", "rows", len(ops))
	return s.apply(done+1, ops)
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
