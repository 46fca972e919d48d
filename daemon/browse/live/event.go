package live

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"kilim/daemon/browse"
	"kilim/rerank"
	"kilim/rerank/publish"
)

// Event is a change of an artifact's lists, or its end.
type Event struct {
	ID       string    `json:"id"`
	Deleted  bool      `json:"deleted,omitempty"`
	Own      bool      `json:"own,omitempty"` // the artifact's own record brought it
	Recorded time.Time `json:"recorded"`      // zero where no record did
	Revision uint64    `json:"revision"`
	Epoch    uint32    `json:"epoch,omitempty"`
	// Cause are the first of the artifacts whose records did it, of so many Causes.
	Cause  []string `json:"cause,omitempty"`
	Causes int      `json:"causes,omitempty"`
	Lists  []Change `json:"lists,omitempty"`
	// Cards are those of all ids above that are stored.
	Cards map[string]browse.Card `json:"cards"`
}

// Change is what happened to one list. Of each kind the best ones are told.
type Change struct {
	Name    string  `json:"name"`
	Entered []Place `json:"entered,omitempty"`
	Moved   []Place `json:"moved,omitempty"`
	Left    []Place `json:"left,omitempty"`
	// Others are those that are not told.
	Others int `json:"others,omitempty"`
}

// Place is that of an artifact in a list, from 1.
type Place struct {
	ID   string `json:"id"`
	Rank int    `json:"rank,omitempty"`
	// Was is the rank before, 0 where it was in none or is not known any more.
	Was   int     `json:"was,omitempty"`
	Score float32 `json:"score,omitempty"`
	// Part is the part that counts most in the score, "" where the list's scores are no sum of several parts.
	Part string `json:"part,omitempty"`
}

const (
	mostPlaces = 10 // of a kind, in a list
	mostCauses = 3
	mostLists  = 32
	// mostRanks is how far the places of a list are remembered.
	mostRanks = 20
)

// places are the artifacts of each list, by a hash of the id, best first.
type places map[string][]uint64

var seed = maphash.MakeSeed()

func placesOf(lists rerank.Lists) places {
	p := make(places, len(lists))
	for _, l := range lists[:min(len(lists), mostLists)] {
		ids := make([]uint64, 0, min(len(l.Entries), mostRanks))
		for i := range l.Entries[:min(len(l.Entries), mostRanks)] {
			ids = append(ids, maphash.String(seed, l.Entries[i].ID))
		}
		p[l.Name] = ids
	}
	return p
}

// rank is the place of an artifact in a list, 0 where it is not known.
func (p places) rank(list, id string) int {
	return slices.Index(p[list], maphash.String(seed, id)) + 1
}

// changeOf tells an update, beside the places of its lists as they were told before; score weighs the parts.
func changeOf(m *publish.Published, was places, score rerank.ScoreWeights) Event {
	u := m.Update
	e := Event{
		ID: m.ID, Own: m.Own, Recorded: m.Recorded, Revision: m.Revision, Epoch: u.Epoch,
		Cause: u.Cause[:min(len(u.Cause), mostCauses)], Causes: len(u.Cause),
	}
	for _, l := range u.Lists[:min(len(u.Lists), mostLists)] {
		c := u.Changes[l.Name]
		change := Change{Name: l.Name}
		weights := browse.Weights(score, l.Name)
		told := func(ids []string) (out []Place) {
			for _, id := range ids[:min(len(ids), mostPlaces)] {
				p := Place{ID: id, Was: was.rank(l.Name, id)}
				if at := slices.IndexFunc(l.Entries, func(e rerank.Entry) bool { return e.ID == id }); at >= 0 {
					p.Rank, p.Score, p.Part = at+1, l.Entries[at].Score, largest(weights, &l.Entries[at].Parts)
					if u.Ordered != nil && l.Name == rerank.ListTotal {
						p.Part = largestLearned(u.Ordered.Entries[at].Parts)
					}
				}
				out = append(out, p)
			}
			change.Others += len(ids) - len(out)
			return out
		}
		change.Entered, change.Moved, change.Left = told(c.Entered), told(c.Moved), told(c.Left)
		if len(change.Entered)+len(change.Moved)+len(change.Left) > 0 {
			e.Lists = append(e.Lists, change)
		}
	}
	return e
}

// largest names the part that adds most to a score.
func largest(weights, parts *rerank.Parts) string {
	if weights == nil || *weights == (rerank.Parts{Cosine: weights.Cosine}) {
		return ""
	}
	name, most := "", float32(0)
	for _, p := range []struct {
		name  string
		value float32
	}{
		{"cosine", weights.Cosine * parts.Cosine}, {"entities", weights.Entities * parts.Entities}, {"words", weights.Words * parts.Words},
		{"date", weights.Date * parts.Date}, {"link", weights.Link * parts.Link},
	} {
		if p.value > most {
			name, most = p.name, p.value
		}
	}
	return name
}

// largestLearned does so of a score in a learned order, whose parts are added as they are.
func largestLearned(parts []rerank.OrderedPart) string {
	name, most := "", 0.0
	for _, p := range parts {
		if p.Value > most {
			name, most = p.Name, p.Value
		}
	}
	return name
}

// event is an Event of the ring.
type event struct {
	Event
	number uint64

	once sync.Once
	text []byte
	err  error
}

// ids are all that are named.
func (e *event) ids() []string {
	ids := append([]string{e.ID}, e.Cause...)
	for i := range e.Lists {
		for _, places := range [][]Place{e.Lists[i].Entered, e.Lists[i].Moved, e.Lists[i].Left} {
			for j := range places {
				ids = append(ids, places[j].ID)
			}
		}
	}
	return ids
}

func (e *event) size() int {
	n := 0
	for _, id := range e.ids() {
		n += len(id)
	}
	return n
}

// rendered is the event as JSON, with the cards as they are when it is first asked for.
func (e *event) rendered(cards Cards) ([]byte, error) {
	e.once.Do(func() {
		shown := e.Event
		if shown.Cards, e.err = cards.Cards(e.ids()); e.err != nil {
			return
		}
		if e.text, e.err = json.Marshal(&shown); e.err != nil {
			e.err = fmt.Errorf("live: %w", e.err)
		}
	})
	return e.text, e.err
}
