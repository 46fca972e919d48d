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
		size := entrySize(b[at:])
		if size == 0 {
			if len(bytes.TrimRight(b[at:], "\x00")) == 0 {
				return nil
			}
			return fmt.Errorf("%w: %s, at %d of %d bytes", errDamagedLog, name, at, len(b))
		}
		at += size
	}
	return nil
}

// entrySize is the length of the entry that b begins with, 0 if that is none.
func entrySize(b []byte) int {
	at, size := 2, uint64(crc32.Size)
	if len(b) < at {
		return 0
	}
	for field := range 3 {
		v, n := binary.Uvarint(b[at:])
		if n <= 0 {
			return 0
		}
		at += n
		if field < 2 {
			size += v
		}
	}
	if size > uint64(len(b)-at) {
		return 0
	}
	end := at + int(size)
	sum := end - crc32.Size
	if crc32.Checksum(b[:sum], castagnoli) != binary.BigEndian.Uint32(b[sum:end]) {
		return 0
	}
	return end
}
