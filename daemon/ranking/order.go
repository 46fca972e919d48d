package ranking

import (
	"cmp"
	"slices"

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
	d := k.decided.Load()
	if d == nil || d.learned == nil || d.State != of {
		return nil, nil
	}
	best := entries[:min(Best, len(entries))]
	var rows pair.Rows
	features, err := k.features(subject.Artifact, subject.ID, best, d.counts, &rows)
	if err != nil {
		return nil, err
	}
	out := &Order{Decision: d.Decision}
	names := pair.Names()
	parts := make([]float64, 1+len(names))
	for i, e := range best {
		placed := Entry{ID: e.ID, Parts: map[string]float64{}}
		placed.Score = d.model.Explain(e.Score, features[i*pair.Width:(i+1)*pair.Width], parts)
		for p, v := range parts {
			switch {
			case p == 0:
				placed.Parts[Stated] = v
			case v != 0:
				placed.Parts[names[p-1]] = v
			}
		}
		out.Entries = append(out.Entries, placed)
	}
	slices.SortStableFunc(out.Entries, func(a, b Entry) int { return cmp.Compare(b.Score, a.Score) })
	for _, e := range entries[len(best):] {
		out.Entries = append(out.Entries, Entry{ID: e.ID, Score: float64(e.Score), Parts: map[string]float64{Stated: float64(e.Score)}})
	}
	return out, nil
}
