// Package comparison has the form in which experiments write figures of kilim beside another's, for scripts. It knows
// nothing of how they were measured.
package comparison

import (
	"encoding/json"
	"io"
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
