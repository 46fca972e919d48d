package hostile

import (
	"fmt"

	"github.com/segmentio/kafka-go"
)

// Fate is what must become of a record.
type Fate int

const (
	Either  Fate = iota // applied, or refused with a reason
	Applied             // applied
	Refused             // refused
)

// Record is one of the feed.
type Record struct {
	Seq        int    // its place in the feed, from 0
	Family     string // who made it
	Note       string // what is extreme about it
	Key, Value []byte // nil: none; a nil Value deletes
	Headers    []kafka.Header

	Fate   Fate
	Reason string // of a Refused one, if that is known
	// ID and Artifact are what is to be served once it is applied; a nil Artifact: nothing. A record that can only be
	// refused needs neither.
	ID       string
	Artifact []byte
	// Loose is set where an applied record may also have deleted its artifact, or given it other content.
	Loose bool
}

// shownBytes is how much of a key or a value a description has.
const shownBytes = 80

// String describes the record in a line.
func (r *Record) String() string {
	s := fmt.Sprintf("record %d, %s", r.Seq, r.Family)
	if r.Note != "" {
		s += " (" + r.Note + ")"
	}
	s += fmt.Sprintf(", id %.60q", r.ID)
	if string(r.Key) != r.ID {
		s += ", key " + shown(r.Key)
	}
	s += ", value " + shown(r.Value)
	if n := len(r.Headers); n > 0 {
		s += fmt.Sprintf(", %d headers", n)
	}
	return s
}

func shown(b []byte) string {
	switch {
	case b == nil:
		return "none"
	case len(b) > shownBytes:
		return fmt.Sprintf("of %d bytes %q...", len(b), b[:shownBytes])
	}
	return fmt.Sprintf("%q", b)
}
