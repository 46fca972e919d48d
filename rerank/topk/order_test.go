package topk

import (
	"cmp"
	"fmt"
	"slices"

	"kilim/rerank"
)

// learned is an Order by the stated score, a number of each artifact's record and, as margins make it, by who else is in the list.
type learned struct {
	name  uint64
	best  int
	facts map[string]int // by id, as the records have them
	ranks int
}

func (o *learned) Ranker() uint64 { return o.name }
func (o *learned) Best() int      { return o.best }
func (o *learned) Changed(string) {}

func (o *learned) Rank(id string, stated []rerank.Entry, size int) ([]rerank.OrderedEntry, error) {
	o.ranks++
	var out []rerank.OrderedEntry
	for i, e := range stated[:min(o.best, len(stated))] {
		own := float64((uint64(o.facts[e.ID]*31+o.facts[id]*7+len(stated))*o.name)%64) / 64
		own, of := own-float64(i)/256, float64(int(e.Score*1024))/1024
		out = append(out, rerank.OrderedEntry{ID: e.ID, Score: own + of, Parts: []rerank.OrderedPart{{Name: "own", Value: own}, {Name: "stated", Value: of}}})
	}
	slices.SortStableFunc(out, func(x, y rerank.OrderedEntry) int { return cmp.Compare(y.Score, x.Score) })
	return out[:min(size, len(out))], nil
}

// ordering is the Order of now, nil: none.
func (a *archive) ordering() Order {
	if a.order == nil {
		return nil
	}
	return a.order
}

// view is what an Order of a row would be without it: a text to compare.
func inOrder(o *rerank.Ordered) (out string) {
	for _, e := range o.Entries {
		out += fmt.Sprintf("%s %v\n", e.ID, e.Score)
	}
	return out
}
