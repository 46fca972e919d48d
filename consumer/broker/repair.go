package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// repair brings a folder that a crash left into a state that kfake reads in full. The
// log must be closed.
func repair(dir string, log *slog.Logger) error {
	for _, name := range []string{"groups.log", "pids.log"} {
		if err := cutTornEnd(filepath.Join(dir, name), log); err != nil {
			return err
		}
	}
	return nil
}

// cutTornEnd truncates a file of kfake's framed entries behind its last whole one.
// An entry is: length (4 bytes, of what follows the checksum), CRC-32C of that
// (4 bytes), version (2 bytes), data; little endian.
func cutTornEnd(path string, log *slog.Logger) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	whole := wholeEntries(raw)
	if whole == len(raw) {
		return nil
	}
	log.Warn("cutting off the torn end of a log", "file", path, "bytes", len(raw)-whole)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if err := errors.Join(f.Truncate(int64(whole)), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("cutting off the torn end of %q: %w", path, err)
	}
	return nil
}

// wholeEntries returns the length of the prefix of raw that is whole, correct entries.
func wholeEntries(raw []byte) int {
	const head = 8
	table := crc32.MakeTable(crc32.Castagnoli)
	pos := 0
	for len(raw)-pos >= head {
		length := int64(binary.LittleEndian.Uint32(raw[pos:]))
		if length < 2 || int64(len(raw)-pos-head) < length {
			break
		}
		body := raw[pos+head : pos+head+int(length)]
		if crc32.Checksum(body, table) != binary.LittleEndian.Uint32(raw[pos+4:]) {
			break
		}
		pos += head + int(length)
	}
	return pos
}
