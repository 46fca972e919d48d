package queries

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"kilim/consumer/profile"
)

// Query is a standing query.
type Query struct {
	Name string `json:"name"`
	// Record is what is asked about, as an artifact's.
	Record json.RawMessage `json:"record"`
	// By names who asks, if anybody says so.
	By string `json:"by,omitempty"`
}

const (
	// MostQueries is how many there may be, MostRecord what the record of each may take in bytes.
	MostQueries = 256
	MostRecord  = 1 << 20
	// MostBody is what all of one may take.
	MostBody = MostRecord + 4096
	// mostBytes bounds all together, and mostEdges what one is joined to: each is an edge whose other end is read.
	mostBytes = 16 << 20
	mostEdges = 2048
	mostBy    = 256
)

var legalName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// Parse reads a Query from JSON. Its error names the field and the value.
func Parse(raw []byte) (*Query, error) {
	q := new(Query)
	if err := json.Unmarshal(raw, q); err != nil {
		return nil, fmt.Errorf("query %.100q: %w", raw, err)
	}
	return q, q.Check()
}

// Check refuses what can't be a Query, and takes white space from the record.
func (q *Query) Check() error {
	if err := CheckName(q.Name); err != nil {
		return err
	}
	switch {
	case len(q.By) > mostBy:
		return fmt.Errorf("by: %.40q...: %d bytes, the limit is %d", q.By, len(q.By), mostBy)
	case !utf8.ValidString(q.By):
		return fmt.Errorf("by: %q: not UTF-8", q.By)
	case strings.IndexFunc(q.By, unicode.IsControl) >= 0:
		return fmt.Errorf("by: %q: with control characters", q.By)
	case len(q.Record) == 0:
		return errors.New("record: is missing")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, q.Record); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	q.Record = compact.Bytes()
	a, err := q.Artifact()
	if err != nil {
		return err
	}
	if a.Blank() {
		return errors.New("record: an empty query: want at least a title, a description, a term, a medium, a link, a date or a location")
	}
	return nil
}

// CheckName refuses what can't be the name of a Query.
func CheckName(name string) error {
	if !legalName.MatchString(name) {
		return fmt.Errorf("name: %.80q: want 1 to 64 small letters, digits, dots, underscores and hyphens, a letter or a digit first", name)
	}
	return nil
}

// Artifact is the record, read. Without an id it has none.
func (q *Query) Artifact() (*profile.Artifact, error) {
	limits := profile.Limits{RecordBytes: MostRecord, Edges: mostEdges}
	a, err := profile.Parse(q.Record, "", limits)
	var refusal *profile.Refusal
	if errors.As(err, &refusal) && refusal.Reason == profile.ReasonNoID {
		if a, err = profile.Parse(q.Record, "query", limits); err == nil {
			a.ID = ""
		}
	}
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return a, nil
}

// digest tells records apart.
func (q *Query) digest() string {
	sum := sha256.Sum256(q.Record)
	return hex.EncodeToString(sum[:16])
}
