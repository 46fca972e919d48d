package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
)

// record is one artifact as both contenders get it.
type record struct {
	id   string
	line []byte
}

// readFeed returns the first count artifacts of a gzipped file of JSON Lines, 0 for all.
// Each must have an id of its own: updates are told apart by it.
func readFeed(path string, count int) ([]record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("feed %s: %w", path, err)
	}
	var out []record
	seen := map[string]bool{}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() && (count == 0 || len(out) < count) {
		line := bytes.Clone(lines.Bytes())
		var artifact struct{ ID string }
		if err := json.Unmarshal(line, &artifact); err != nil {
			return nil, fmt.Errorf("feed %s, line %d: %w", path, len(out)+1, err)
		}
		if artifact.ID == "" || seen[artifact.ID] {
			return nil, fmt.Errorf("feed %s, line %d: id %q is empty or not the first of that name", path, len(out)+1, artifact.ID)
		}
		seen[artifact.ID] = true
		out = append(out, record{artifact.ID, line})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("feed %s, after line %d: %w", path, len(out), err)
	}
	if len(out) == 0 || len(out) < count {
		return nil, fmt.Errorf("feed %s: %d artifacts, want at least %d", path, len(out), max(count, 1))
	}
	return out, nil
}

// writeFeed writes artifacts as plain JSON Lines.
func writeFeed(path string, records []record) error {
	var b bytes.Buffer
	for _, r := range records {
		b.Write(r.line)
		b.WriteByte('\n')
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
