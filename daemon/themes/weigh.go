package themes

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

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
// that does not apply to the artifact adds nothing and costs nothing. applies are those that do. Without weights the evidence alone orders.
func (k *Keeper) Weigh(ctx context.Context, a *profile.Artifact, weights map[string]float64, candidates []Candidate, n int) (best []Weighed, applies []string, err error) {
	names := slices.Sorted(maps.Keys(weights))
	var s *serving
	for _, name := range names {
		if s, err = k.ready(name); err != nil {
			return nil, nil, err
		}
	}
	var question *theme.Question
	if s != nil {
		w := theme.WorkOf(a)
		own := s.model.Profile(&w)
		for _, name := range names {
			if s.model.Presence(name, own) >= leastPresence {
				applies = append(applies, name)
			}
		}
		question = s.model.Ask(own)
	}
	weighing := weighing{keeper: k, serving: s, question: question, weights: weights, applies: applies}
	parts := slices.Collect(slices.Chunk(candidates, weighedTogether))
	scored := make([][]Weighed, len(parts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, part := range parts {
		group.Go(func() (err error) {
			scored[i], err = weighing.score(ctx, part)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	best = slices.Concat(scored...)
	slices.SortFunc(best, func(a, b Weighed) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return best[:min(n, len(best))], applies, nil
}

// weighedTogether is how many candidates are scored before others who ask have their turn: some 5 ms, where memory had no room for the profile of any.
const weighedTogether = 10

// weighing is what candidates are scored by.
type weighing struct {
	keeper   *Keeper
	serving  *serving
	question *theme.Question
	weights  map[string]float64
	applies  []string
}

// score scores candidates, but for those that were deleted meanwhile.
func (w *weighing) score(ctx context.Context, candidates []Candidate) (out []Weighed, err error) {
	if err := w.keeper.weighs.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer w.keeper.weighs.Release(1)
	for _, c := range candidates {
		one := Weighed{Candidate: c, Score: c.Evidence, Themes: map[string]float64{}}
		if len(w.applies) > 0 {
			p, err := w.keeper.profileOf(w.serving, c.ID)
			if err != nil {
				return nil, err
			}
			if p == nil {
				continue
			}
			for _, name := range w.applies {
				parts, _ := w.question.Compare(name, p)
				one.Themes[name] = w.weights[name] * parts.Score()
				one.Score += one.Themes[name]
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// profileOf is the profile of a stored artifact: as it is kept, or made now where there was no room for it. It is nil when the artifact is not there or
// can't be read. Those that were made last are kept for a while: whoever moves a slider asks again and again for the same.
func (k *Keeper) profileOf(s *serving, id string) (*theme.Profile, error) {
	return s.profileFor(id, func() (*theme.Profile, error) {
		a, err := k.sound(id)
		if err != nil || a == nil {
			return nil, err
		}
		w := theme.WorkOf(a)
		return s.model.Profile(&w), nil
	})
}
