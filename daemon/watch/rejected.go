package watch

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/consumer"
)

// rejected is a dead letter for programs.
type rejected struct {
	ID string `json:"id"` // the record's key; empty when it had none
	consumer.Rejection
	Time  time.Time `json:"time"`  // when it was put to the dead letters
	Bytes int       `json:"bytes"` // of its value, as far as it was kept
}

// Rejected writes a dead letter as one line: when, the record's key and place, and why it was refused; with asJSON as a line of
// JSON. A message that is no dead letter of kilim's is shown by its own place.
func Rejected(w io.Writer, m kafka.Message, asJSON bool) error {
	r := rejected{ID: string(m.Key), Rejection: consumer.RejectionOf(m.Headers), Time: m.Time, Bytes: len(m.Value)}
	if asJSON {
		line, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("message %s: %w", place(m), err)
		}
		_, err = w.Write(append(line, '\n'))
		return err
	}
	id := "(no key)"
	if r.ID != "" {
		id = printable(shorten(r.ID, 80))
	}
	from, why := printable(r.Topic)+"/"+strconv.Itoa(r.Partition)+"@"+strconv.FormatInt(r.Offset, 10), printable(r.Detail)
	if r.Reason == "" {
		from, why = place(m), "not a dead letter of kilim's"
	}
	_, err := fmt.Fprintf(w, "%s  %s  %s  %s\n", m.Time.Local().Format(time.DateTime), id, from, why)
	return err
}
