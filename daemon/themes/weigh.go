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
	w := &weighing{keeper: k, serving: s, question: question, weights: weights, applies: applies, n: n}
	if err := w.all(ctx, candidates); err != nil {
		return nil, nil, err
	}
	return w.best[:min(n, len(w.best))], applies, nil
}

// weighedTogether is how many candidates are scored before others who ask have their turn: some 5 ms, where memory had no room for the profile of any.
const weighedTogether = 10

// weighing is what candidates are scored by, and those that are the best until now.
type weighing struct {
	keeper   *Keeper
	serving  *serving
	question *theme.Question
	weights  map[string]float64
	applies  []string
	n        int
	best     []Weighed
}

// outlined is a candidate of whose profile there is the outline.
type outlined struct {
	Candidate
	outline *theme.Outline
	changes uint64
	most    float64 // its score is at most so much
}

// all scores candidates. Of those that memory has no profile of, outlines are made first, and completed as long as they may be among the n best, the most
// promising first: what is most of the work of a profile is done for few of them.
func (w *weighing) all(ctx context.Context, candidates []Candidate) error {
	parts := slices.Collect(slices.Chunk(candidates, weighedTogether))
	scored, left := make([][]Weighed, len(parts)), make([][]outlined, len(parts))
	err := w.together(ctx, len(parts), func(i int) (err error) {
		scored[i], left[i], err = w.look(parts[i])
		return err
	})
	w.add(scored)
	open := slices.Concat(left...)
	slices.SortFunc(open, func(a, b outlined) int { return cmp.Or(cmp.Compare(b.most, a.most), cmp.Compare(a.ID, b.ID)) })
	for err == nil && len(open) > 0 && (len(w.best) < w.n || open[0].most >= w.best[w.n-1].Score) {
		now := min(len(open), weighedTogether*runtime.GOMAXPROCS(0))
		parts := slices.Collect(slices.Chunk(open[:now], weighedTogether))
		open = open[now:]
		scored = make([][]Weighed, len(parts))
		err = w.together(ctx, len(parts), func(i int) error {
			scored[i] = w.complete(parts[i])
			return nil
		})
		w.add(scored)
	}
	return err
}

// together does so many parts of the work, as many at once as there are processors, in turns with others who ask.
func (w *weighing) together(ctx context.Context, parts int, do func(part int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range parts {
		group.Go(func() error {
			if err := w.keeper.weighs.Acquire(ctx, 1); err != nil {
				return err
			}
			defer w.keeper.weighs.Release(1)
			return do(i)
		})
	}
	return group.Wait()
}

// add puts candidates where they belong among the best.
func (w *weighing) add(scored [][]Weighed) {
	for _, some := range scored {
		w.best = append(w.best, some...)
	}
	slices.SortFunc(w.best, func(a, b Weighed) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
}

// look scores the candidates whose profiles are known, or who need none, and outlines the others, but for those that were deleted meanwhile or can't be read.
func (w *weighing) look(candidates []Candidate) (scored []Weighed, open []outlined, err error) {
	for _, c := range candidates {
		if len(w.applies) == 0 {
			scored = append(scored, w.score(c, nil))
			continue
		}
		is, changes := w.serving.find(c.ID)
		if is.profile != nil {
			scored = append(scored, w.score(c, is.profile))
			continue
		}
		if is.outline == nil {
			a, err := w.keeper.sound(c.ID)
			if err != nil {
				return nil, nil, err
			}
			if a == nil {
				continue
			}
			work := theme.WorkOf(a)
			is.outline = w.serving.model.Outline(&work)
			w.serving.keep(c.ID, is, changes)
		}
		open = append(open, outlined{c, is.outline, changes, w.most(c, is.outline)})
	}
	return scored, open, nil
}

// most is above the score of a candidate, by its outline.
func (w *weighing) most(c Candidate, o *theme.Outline) float64 {
	most := c.Evidence
	for _, name := range w.applies {
		low, high, _ := w.question.Bounds(name, o)
		most += max(w.weights[name]*low, w.weights[name]*high)
	}
	return most
}

// complete scores candidates by their profiles, of which it has the outlines.
func (w *weighing) complete(open []outlined) (scored []Weighed) {
	for _, o := range open {
		p := w.serving.model.Complete(o.outline)
		w.serving.keep(o.ID, known{profile: p}, o.changes)
		scored = append(scored, w.score(o.Candidate, p))
	}
	return scored
}

// score scores a candidate by its profile, which it needs where a theme applies.
func (w *weighing) score(c Candidate, p *theme.Profile) Weighed {
	one := Weighed{Candidate: c, Score: c.Evidence, Themes: map[string]float64{}}
	for _, name := range w.applies {
		parts, _ := w.question.Compare(name, p)
		one.Themes[name] = w.weights[name] * parts.Score()
		one.Score += one.Themes[name]
	}
	return one
}
