package ranking

import (
	"kilim/consumer/profile"
	"kilim/rerank"
	"kilim/rerank/rank/pair"
)

// Stated is the name of the part of a learned score that the stated score gives; the others are those of features (package pair).
const Stated = "stated"

// Order is a list in the learned order.
type Order struct {
	Decision Decision
	Entries  []Entry
}

// Entry is one place of an Order. Score is the sum of Parts, exactly, in whatever order they are added: all are multiples of 2^-20. Parts of 0 are left out.
type Entry struct {
	ID    string
	Score float64
	Parts map[string]float64
}

// Subject is whose list it is: a stored artifact by its ID, or an Artifact that is not stored.
type Subject struct {
	ID       string
	Artifact *profile.Artifact
}

// Serves tells whether lists of a State are put into a learned order.
func (k *Keeper) Serves(of State) bool {
	d := k.decided.Load()
	return d != nil && d.learned != nil && d.State == of
}

// Order puts the Best entries of a list by stated weights, which a State has made, into the learned order; those behind them follow in the stated order, with the
// stated score for their only part. It is nil where no model serves for that State. How the first are ordered depends on all Best of them: who wants fewer
// cuts them off afterwards.
func (k *Keeper) Order(subject Subject, of State, entries []rerank.Entry) (*Order, error) {
	d, ordered, err := k.ordered(subject, of, entries, len(entries))
	if d == nil || err != nil {
		return nil, err
	}
	out := &Order{Decision: d.Decision}
	for _, e := range ordered {
		placed := Entry{ID: e.ID, Score: e.Score, Parts: map[string]float64{}}
		for _, p := range e.Parts {
			placed.Parts[p.Name] = p.Value
		}
		out.Entries = append(out.Entries, placed)
	}
	return out, nil
}

// Ranker names the order that serves for a State, 0: none does.
func (k *Keeper) Ranker(of State) uint64 {
	d := k.decided.Load()
	if d == nil || d.learned == nil || d.State != of {
		return 0
	}
	return d.name
}

// Ordered is the first size of such a list as it is published, nil where no model serves for that State.
func (k *Keeper) Ordered(subject Subject, of State, entries []rerank.Entry, size int) (*rerank.Ordered, error) {
	d, ordered, err := k.ordered(subject, of, entries, size)
	if d == nil || err != nil {
		return nil, err
	}
	return &rerank.Ordered{Ranker: d.name, Entries: ordered}, nil
}

// ordered puts a list into the order of what serves for a State, nil: nothing does.
func (k *Keeper) ordered(subject Subject, of State, entries []rerank.Entry, size int) (*decided, []rerank.OrderedEntry, error) {
	d := k.decided.Load()
	if d == nil || d.learned == nil || d.State != of {
		return nil, nil, nil
	}
	var rows pair.Rows
	features, err := k.features(subject.Artifact, subject.ID, entries[:min(Best, len(entries))], d.counts, &rows)
	if err != nil {
		return nil, nil, err
	}
	return d, d.order(entries, features, size), nil
}
