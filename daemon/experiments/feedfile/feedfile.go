// Package feedfile reads and writes the files of records that experiments feed: JSON Lines in kilim's profile. It knows
// of a record no more than its id.
package feedfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"kilim/consumer/profile"
)

// Record is one artifact, with the line as it stands in the file.
type Record struct {
	ID   string
	Line []byte // without the line's end
}

// Read returns the first count records of a file, plain or gzip; 0 for all.
// Each must have an id of its own: experiments tell updates apart by it.
func Read(path string, count int) ([]Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	defer f.Close()
	in, err := profile.Feed(f)
	if err != nil {
		return nil, fmt.Errorf("feed %s: %w", path, err)
	}
	var out []Record
	seen := map[string]bool{}
	for count == 0 || len(out) < count {
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("feed %s, after line %d: %w", path, len(out), err)
		}
		if err != nil && len(line) == 0 {
			break
		}
		line = bytes.TrimRight(line, "\r\n")
		var artifact struct{ ID string }
		if err := json.Unmarshal(line, &artifact); err != nil {
			return nil, fmt.Errorf("feed %s, line %d: %w", path, len(out)+1, err)
		}
		if artifact.ID == "" || seen[artifact.ID] {
			return nil, fmt.Errorf("feed %s, line %d: id %q is empty or not the first of that name", path, len(out)+1, artifact.ID)
		}
		seen[artifact.ID] = true
		out = append(out, Record{artifact.ID, line})
	}
	if len(out) == 0 || len(out) < count {
		return nil, fmt.Errorf("feed %s: %d artifacts, want at least %d", path, len(out), max(count, 1))
	}
	return out, nil
}

// Write makes a plain file of records.
func Write(path string, records []Record) error {
	var b bytes.Buffer
	for _, r := range records {
		b.Write(r.Line)
		b.WriteByte('\n')
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	return nil
}
