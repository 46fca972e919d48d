package themes

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"kilim/consumer/profile"
	"kilim/learner/theme"
)

// Candidate is an artifact that may be in a weighed list, with the score that it has by all else.
type Candidate struct {
	ID       string
	Evidence float64
}

// Weighed is one place of a list by several themes at once. Score is Evidence and the Themes' scores, each multiplied with its weight, added in the
// order of their names.
type Weighed struct {
	Candidate
	Score  float64
	Themes map[string]float64
}

// Weigh orders candidates by their evidence and by how like they are to an artifact in themes, each theme by its weight, and returns the best n. A theme
// that does not apply to the artifact adds nothing and costs nothing. applies are those that do. There must be a weight.
func (k *Keeper) Weigh(ctx context.Context, a *profile.Artifact, weights map[string]float64, candidates []Candidate, n int) (best []Weighed, applies []string, err error) {
	names := slices.Sorted(maps.Keys(weights))
	var s *serving
	for _, name := range names {
		if s, err = k.ready(name); err != nil {
			return nil, nil, err
		}
	}
	if err := k.scans.Acquire(ctx, 1); err != nil {
		return nil, nil, err
	}
	defer k.scans.Release(1)
	w := theme.WorkOf(a)
	own := s.model.Profile(&w)
	for _, name := range names {
		if s.model.Presence(name, own) >= leastPresence {
			applies = append(applies, name)
		}
	}
	question := s.model.Ask(own)
	for _, c := range candidates {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		out := Weighed{Candidate: c, Score: c.Evidence, Themes: map[string]float64{}}
		if len(applies) > 0 {
			p, err := k.profileOf(s, c.ID)
			if err != nil {
				return nil, nil, err
			}
			if p == nil {
				continue // it was deleted meanwhile
			}
			for _, name := range applies {
				parts, _ := question.Compare(name, p)
				out.Themes[name] = weights[name] * parts.Score()
				out.Score += out.Themes[name]
			}
		}
		best = append(best, out)
	}
	slices.SortFunc(best, func(a, b Weighed) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return best[:min(n, len(best))], applies, nil
}

// profileOf is the profile of a stored artifact: as it is kept, or made now where there was no room for it. It is nil when the artifact is not there or
// can't be read.
func (k *Keeper) profileOf(s *serving, id string) (*theme.Profile, error) {
	if p, _ := s.ProfileOf(id); p != nil {
		return p, nil
	}
	a, err := k.sound(id)
	if err != nil || a == nil {
		return nil, err
	}
	w := theme.WorkOf(a)
	return s.model.Profile(&w), nil
}
