package graphstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// errDamagedLog is returned for a file of the value log with an entry that does not match its checksum.
var errDamagedLog = errors.New("a file of the value log is damaged")

// logVerifier reads the files of the value log that badger may rewrite, before it does. Badger takes an entry that does not match
// its checksum for the end of the file, and then removes the file: all that lives behind the entry would be lost with it.
type logVerifier struct {
	dir      string
	verified map[uint32]struct{}
}

// candidates verifies the files of which badger's statistics say that enough is garbage.
//
// Badger (4.9) keeps these in the file DISCARD: pairs of a file's number and the bytes of garbage in it, big endian, up to a
// number of zero.
func (v *logVerifier) candidates() error {
	stats, err := os.ReadFile(filepath.Join(v.dir, "DISCARD"))
	if err != nil {
		return err
	}
	for ; len(stats) >= 16; stats = stats[16:] {
		fid, garbage := uint32(binary.BigEndian.Uint64(stats)), binary.BigEndian.Uint64(stats[8:])
		if fid == 0 {
			break
		}
		if _, done := v.verified[fid]; done {
			continue
		}
		name := filepath.Join(v.dir, fmt.Sprintf("%06d.vlog", fid))
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if float64(garbage) < discardRatio*float64(info.Size()) {
			continue
		}
		if err := verifyLog(name); err != nil {
			return err
		}
		v.verified[fid] = struct{}{}
	}
	return nil
}

// logHead is the length of what a file of the value log begins with.
const logHead = 20

// verifyLog compares the entries of a file with their checksums: meta data, the lengths of key and value, the time of
// expiry, key, value, checksum. Only zeros may follow them.
func verifyLog(name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	for at := min(logHead, len(b)); at < len(b); {
		size, sound := entrySize(b[at:])
		if !sound {
			if len(bytes.TrimRight(b[at:], "\x00")) == 0 {
				return nil
			}
			return fmt.Errorf("%w: %s, at %d of %d bytes", errDamagedLog, name, at, len(b))
		}
		at += size
	}
	return nil
}

// entrySize is the length of the entry that b begins with, 0 if that can't be one, and tells whether the entry matches its checksum.
func entrySize(b []byte) (size int, sound bool) {
	at, rest := 2, uint64(crc32.Size)
	if len(b) < at {
		return 0, false
	}
	for field := range 3 {
		v, n := binary.Uvarint(b[at:])
		if n <= 0 {
			return 0, false
		}
		at += n
		if field < 2 {
			rest += v
		}
	}
	if rest > uint64(len(b)-at) {
		return 0, false
	}
	end := at + int(rest)
	sum := end - crc32.Size
	return end, crc32.Checksum(b[:sum], castagnoli) == binary.BigEndian.Uint32(b[sum:end])
}

// spareLastLog keeps badger from cutting the newest file of the value log off at a damaged entry, with all that lives behind it, as
// it does at each start: it takes the entry for the last one that a crash had left half written. If a sound entry follows, it was
// not; then spareLastLog begins a file after it, which badger looks at instead. The damaged entry stays what it is: a row
// that can't be read.
func spareLastLog(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
	if err != nil || len(files) == 0 {
		return err
	}
	last := slices.Max(files)
	b, err := os.ReadFile(last)
	if err != nil {
		return err
	}
	for at := min(logHead, len(b)); at < len(b); {
		size, sound := entrySize(b[at:])
		at += size
		if sound {
			continue
		}
		if _, next := entrySize(b[at:]); !next {
			return nil // the end
		}
		var fid uint32
		if _, err := fmt.Sscanf(filepath.Base(last), "%d.vlog", &fid); err != nil {
			return fmt.Errorf("the name of %s: %w", last, err)
		}
		return os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d.vlog", fid+1)), nil, 0o600) // see openBadger
	}
	return nil
}
