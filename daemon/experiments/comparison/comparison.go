// Package comparison has the form in which experiments write figures of kilim beside another's, for scripts: Write writes each
// Row as a line of JSON; and Append adds a dated entry to a file of results for people. It knows nothing of how they were measured.
package comparison

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Row is a comparison.
type Row struct {
	Bench    string  `json:"bench"` // the experiment
	Case     string  `json:"case"`
	Ours     float64 `json:"ours"`
	Peer     float64 `json:"peer"`
	PeerName string  `json:"peer_name"`
	Unit     string  `json:"unit"`
	Ratio    float64 `json:"ratio"` // more than 1: kilim is better
}

// Write writes rows as JSON Lines.
func Write(w io.Writer, rows []Row) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, row := range rows {
		if err := enc.Encode(row); err != nil {
			return err
		}
	}
	return nil
}

// Append adds an entry of a time to a results file, which begins with head when it is made. An entry that print fails to write leaves
// the file as it was.
func Append(path, head string, now time.Time, print func(io.Writer) error) error {
	var entry bytes.Buffer
	fmt.Fprintf(&entry, "\n## %s\n\n", now.UTC().Format("2006-01-02 15:04 UTC"))
	if err := print(&entry); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	text := entry.Bytes()
	if info.Size() == 0 {
		text = append([]byte(head), text...)
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
