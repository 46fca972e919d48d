package stored

import (
	"encoding/json"
	"fmt"
	"time"

	"kilim/rerank"
)

// message is the value of a theme's topic: as that of kilim.similar, of one list, and with the theme's model in the place of an epoch.
type message struct {
	ID       string                    `json:"id"`
	Revision uint64                    `json:"revision"`
	Model    string                    `json:"model"`
	Lists    map[string][]item         `json:"lists"`
	Changes  map[string]rerank.Changes `json:"changes"`
	Cause    []string                  `json:"cause"`
}

type item struct {
	ID    string  `json:"id"`
	Score float64 `json:"score"`
	Parts parts   `json:"parts"`
}

type parts struct {
	Terms      float64 `json:"terms"`
	Neighbours float64 `json:"neighbours"`
	Profile    float64 `json:"profile"`
	Words      float64 `json:"words"`
}

// Name is the name of a theme's list.
func Name(theme string) string { return "theme:" + theme }

// causes are the records that a commit is due to, by artifact.
type causes map[string]rerank.Cause

// updated is the outbox form of a list that takes the place of another one, nil: of none, and whose records caused it.
func (c causes) updated(cfg *Config, id string, before, now *List) (b []byte, cause []string, err error) {
	m := message{ID: id, Revision: now.Revision, Model: now.Model, Lists: map[string][]item{}, Changes: map[string]rerank.Changes{}, Cause: []string{}}
	items := []item{}
	for _, e := range now.told(cfg.Size) {
		items = append(items, item{e.ID, e.Parts.Score(), parts(e.Parts)})
	}
	name := Name(now.Theme)
	m.Lists[name] = items
	m.Changes[name] = rerank.Diff(ids(before, cfg.Size), ids(now, cfg.Size))
	var newest time.Time
	var trace string
	seen := map[string]bool{}
	because := func(ids ...string) {
		for _, id := range ids {
			cause, ok := c[id]
			if !ok || seen[id] {
				continue
			}
			seen[id] = true
			m.Cause = append(m.Cause, id)
			if cause.Recorded.After(newest) {
				newest = cause.Recorded
			}
			if trace == "" {
				trace = cause.TraceParent
			}
		}
	}
	because(id)
	because(m.Changes[name].Entered...)
	because(m.Changes[name].Left...)
	because(m.Changes[name].Moved...)
	value, err := json.Marshal(m)
	if err != nil {
		return nil, nil, fmt.Errorf("themes: message of %q: %w", id, err)
	}
	return rerank.EncodeThemed(&rerank.OutMessage{Topic: Topic(cfg.Similar, now.Theme), ID: id, Revision: now.Revision, Recorded: newest, Value: value, TraceParent: trace}), m.Cause, nil
}

// gone is the outbox form of what tells that there is no list any more.
func (c causes) gone(similar, id, theme string, revision uint64) []byte {
	return Gone(Topic(similar, theme), id, revision, c[id].Recorded)
}

// Gone is the outbox form of what tells in a theme's topic that an artifact has no list any more.
func Gone(topic, id string, revision uint64, recorded time.Time) []byte {
	return rerank.EncodeThemed(&rerank.OutMessage{Topic: topic, ID: id, Revision: revision, Recorded: recorded})
}

// ids are the members of a list that are told, as rerank.Diff compares them.
func ids(l *List, size int) (out []rerank.Entry) {
	if l != nil {
		for _, e := range l.told(size) {
			out = append(out, rerank.Entry{ID: e.ID})
		}
	}
	return out
}

// material tells whether a list differs from another by its members, their order, or a score by more than tolerance.
func material(a, b []Entry, tolerance float64) bool {
	if len(a) != len(b) {
		return true
	}
	for i := range a {
		if d := a[i].Parts.Score() - b[i].Parts.Score(); a[i].ID != b[i].ID || d > tolerance || -d > tolerance {
			return true
		}
	}
	return false
}

// before is the order of lists: by falling score, then by id.
func before(a, b *Entry) bool {
	if x, y := a.Parts.Score(), b.Parts.Score(); x != y {
		return x > y
	}
	return a.ID < b.ID
}
