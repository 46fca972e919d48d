package browse

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"kilim/rerank"
)

// History is one of an artifact's published lists as of a date, and what has happened to it since.
type History struct {
	ID   string `json:"id"`
	List string `json:"list"`
	// Since is the date that was asked for, missing when none was: then it is KnownSince.
	Since *time.Time `json:"since,omitempty"`
	// KnownSince is since when the list is known. Complete: it was the artifact's first, before it had none; otherwise what was before is
	// forgotten.
	KnownSince time.Time `json:"known_since"`
	Complete   bool      `json:"complete"`
	// Reaches is false when what is known does not reach back to Since: then all that follows is since KnownSince.
	Reaches bool `json:"reaches"`
	// Items are the list as of Since by ids, best first. Entered, Left and Moved lead from it to the list that was published last.
	Items   []string `json:"items"`
	Entered []Move   `json:"entered"`
	Left    []Move   `json:"left"`
	// Moved are those in both whose place among those in both differs, see rerank.Changes.
	Moved []Move `json:"moved"`
	// Turns are the changes since, the newest first.
	Turns []Turn `json:"turns"`
	// Cards are those of all artifacts named here that are stored.
	Cards map[string]Card `json:"cards"`
}

// Move is the way of an artifact in a list: its ranks count from 1, and a missing one says that it was not in the list.
type Move struct {
	ID   string `json:"id"`
	From int    `json:"from,omitempty"`
	To   int    `json:"to,omitempty"`
}

// Turn is a change of a list.
type Turn struct {
	// At is the time stamp of the newest record that the archive had seen when the change was published.
	At time.Time `json:"at"`
	// Cause are the artifacts whose records caused it; none when the model's background work did.
	Cause []string `json:"cause"`
	Moves []Move   `json:"moves"`
}

// Met is how a pair came to stand as it does: the ranks of one artifact in the lists of another, the newest first, of all of its lists whose past is
// known. KnownSince and Complete are of the first two, total and general.
type Met struct {
	KnownSince time.Time `json:"known_since"`
	Complete   bool      `json:"complete"` // see History
	Turns      []Rank    `json:"turns"`
	// Scores are the pair's, list by list and the oldest first; none of general.
	Scores []Scored `json:"scores"`
}

// Scored is the score of a pair in a list that was the same, by ids, from At until it was another one.
type Scored struct {
	List string    `json:"list"`
	At   time.Time `json:"at"`
	// Until is missing when the list is still that one. Then Score is that which was published last, else rounded.
	Until *time.Time `json:"until,omitempty"`
	Score float32    `json:"score"`
}

// Rank is a change of an artifact's rank in a list. At Met.KnownSince, From and To are the same for one that stood there already.
type Rank struct {
	At    time.Time `json:"at"`
	List  string    `json:"list"`
	From  int       `json:"from,omitempty"`
	To    int       `json:"to,omitempty"`
	Cause []string  `json:"cause"`
}

// HistoryOf is what an artifact's past says of a list since a time; the zero time is as long as is known. It has no cards.
func HistoryOf(past *rerank.Past, id, list string, since time.Time) *History {
	h := &History{ID: id, List: list, KnownSince: past.States[0].At, Complete: past.Began, Reaches: true, Items: []string{}, Turns: []Turn{}}
	first, before := 0, past.States[0].IDs(list)
	if !since.IsZero() {
		h.Since = &since
		place, ok := past.AsOf(since)
		switch {
		case ok:
			first, before = place, past.States[place].IDs(list)
		case past.Began:
			first, before = -1, nil
		default:
			h.Reaches = false
		}
	}
	h.Items = append(h.Items, before...)
	last := past.States[len(past.States)-1].IDs(list)
	h.Entered, h.Left, h.Moved = compared(before, last)
	for i := len(past.States) - 1; i > first; i-- {
		var was []string
		if i > 0 {
			was = past.States[i-1].IDs(list)
		}
		entered, left, moved := compared(was, past.States[i].IDs(list))
		if moves := slices.Concat(entered, left, moved); len(moves) > 0 {
			h.Turns = append(h.Turns, Turn{past.States[i].At, caused(&past.States[i]), moves})
		}
	}
	return h
}

// compared tells what leads from a list to another.
func compared(before, after []string) (entered, left, moved []Move) {
	entries := func(ids []string) []rerank.Entry {
		out := make([]rerank.Entry, len(ids))
		for i := range ids {
			out[i].ID = ids[i]
		}
		return out
	}
	moves := func(ids []string) []Move {
		out := make([]Move, len(ids))
		for i, id := range ids {
			out[i] = Move{id, rankOf(before, id), rankOf(after, id)}
		}
		return out
	}
	c := rerank.Diff(entries(before), entries(after))
	return moves(c.Entered), moves(c.Left), moves(c.Moved)
}

// rankOf counts from 1; 0: it is not there.
func rankOf(ids []string, id string) int { return slices.Index(ids, id) + 1 }

func caused(s *rerank.State) []string { return append([]string{}, s.Cause...) }

// MetOf is what an artifact's pasts, that of total and general first, say of another in its lists.
func MetOf(other string, pasts ...*rerank.Past) *Met {
	m := &Met{KnownSince: pasts[0].States[0].At, Complete: pasts[0].Began, Turns: []Rank{}, Scores: []Scored{}}
	for _, past := range pasts {
		m.rank(past, other)
		m.score(past, other)
	}
	slices.SortStableFunc(m.Turns, func(a, b Rank) int { return b.At.Compare(a.At) })
	slices.SortStableFunc(m.Scores, func(a, b Scored) int { return cmp.Compare(listOrder(a.List), listOrder(b.List)) })
	return m
}

// listOrder has total come before the lists of themes, by name.
func listOrder(list string) string { return strings.TrimPrefix(list, rerank.ListTotal) }

func (m *Met) rank(past *rerank.Past, other string) {
	for i := len(past.States) - 1; i >= 0; i-- {
		state := &past.States[i]
		for _, list := range state.Lists {
			to, from := rankOf(list.IDs, other), 0
			switch {
			case i > 0:
				from = rankOf(past.States[i-1].IDs(list.Name), other)
			case !past.Began:
				from = to
			}
			if from != to || i == 0 && to > 0 {
				m.Turns = append(m.Turns, Rank{state.At, list.Name, from, to, caused(state)})
			}
		}
	}
}

func (m *Met) score(past *rerank.Past, other string) {
	for i := range past.States {
		state := &past.States[i]
		for _, list := range state.Lists {
			at := rankOf(list.IDs, other) - 1
			if at < 0 || list.Scores == nil {
				continue
			}
			s := Scored{List: list.Name, At: state.At, Score: list.Scores[at]}
			if i+1 < len(past.States) {
				s.Until = &past.States[i+1].At
			}
			m.Scores = append(m.Scores, s)
		}
	}
}

// Tell puts cards to the artifacts that a history names.
func (s *Shelf) Tell(h *History) (err error) {
	ids := slices.Clone(h.Items)
	for _, moves := range [][]Move{h.Entered, h.Left, h.Moved} {
		for _, m := range moves {
			ids = append(ids, m.ID)
		}
	}
	for _, t := range h.Turns {
		ids = append(ids, t.Cause...)
		for _, m := range t.Moves {
			ids = append(ids, m.ID)
		}
	}
	h.Cards, err = s.Cards(ids)
	return err
}
