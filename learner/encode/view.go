package encode

import (
	"time"

	"kilim/consumer/profile"
	"kilim/graphstore"
)

// View is where the encoding of a medium stands, as an artifact's page tells it.
type View struct {
	Kind string `json:"kind"`
	// Place is that among the record's media, from 0; a text has none.
	Place *int   `json:"place,omitempty"`
	State string `json:"state"` // waiting, encoded or refused
	// Since is when it began to wait, while it does.
	Since *time.Time `json:"since,omitempty"`
	// Encoder is the identity of who encoded or refused it.
	Encoder string `json:"encoder,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// Views tells where the encoding of an artifact's media stands, in the order of its record.
func (e Encoders) Views(rows Rows, a *profile.Artifact, edges []graphstore.EdgeSpec) ([]View, error) {
	views := []View{}
	for _, m := range e.MediaOf(a, edges) {
		row, err := rows.Media(m.Node)
		if err != nil {
			return nil, err
		}
		if row == nil {
			continue
		}
		v := View{Kind: m.Kind, State: row.State.String(), Encoder: row.Encoder, Reason: row.Reason, Detail: row.Detail}
		if m.Kind != profile.Text {
			v.Place = &m.Place
		}
		if row.State == graphstore.MediaWaiting {
			v.Since = &row.Since
		}
		views = append(views, v)
	}
	return views, nil
}
