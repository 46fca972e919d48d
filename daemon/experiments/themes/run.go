package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"kilim/consumer/profile"
	"kilim/daemon/experiments/feedfile"
	"kilim/learner/theme"
)

const mean = "mean of themes"

func run(ctx context.Context, o *options, stdout io.Writer) error {
	works, err := readWorks(o.feed)
	if err != nil {
		return err
	}
	if o.fit >= len(works) {
		return fmt.Errorf("-fit %d: %s has %d works", o.fit, o.feed, len(works))
	}
	places, err := o.split(ctx, len(works))
	if err != nil {
		return err
	}
	var fitted, ranked []theme.Work
	for i, place := range places {
		if i < o.fit {
			fitted = append(fitted, works[place])
		} else {
			ranked = append(ranked, works[place])
		}
	}
	start := time.Now()
	space, err := theme.NewSpace(fitted)
	if err != nil {
		return err
	}
	profiler, err := theme.Fit(o.cfg, space, fitted)
	if err != nil {
		return err
	}
	fit := time.Since(start)
	start = time.Now()
	profiles, err := profiler.Profiles(hidden(ranked))
	if err != nil {
		return err
	}
	each := time.Since(start) / time.Duration(len(ranked))
	fmt.Fprintf(stdout, "%d fitted, %d ranked, %d terms, %d features; fitted in %.1f s, %v a profile\n",
		len(fitted), len(ranked), len(profiler.Terms()), space.Len(), fit.Seconds(), each.Round(time.Microsecond))

	themes := theme.Themes(works)
	j := newJudge(ranked, themes, o.queries, uint64(o.seed))
	all, err := o.peerFigures(ctx)
	if err != nil {
		return err
	}
	for name, w := range map[string]theme.Weights{
		"kilim":              theme.DefaultWeights(),
		"kilim, Terms alone": {Terms: 1},
		"kilim, Words alone": {Words: 1},
	} {
		if all[name], err = o.measure(j, theme.NewRanker(profiler, w), profiles, themes); err != nil {
			return err
		}
	}
	print(stdout, all, append(themes, mean))
	return nil
}

// hidden are works without their labels: what is ranked by must not know them.
func hidden(works []theme.Work) []theme.Work {
	out := slices.Clone(works)
	for i := range out {
		out[i].Labels = nil
	}
	return out
}

func readWorks(feed string) ([]theme.Work, error) {
	records, err := feedfile.Read(feed, 0)
	if err != nil {
		return nil, err
	}
	works := make([]theme.Work, len(records))
	for i := range records {
		a, err := profile.Parse(records[i].Line, "", profile.DefaultLimits())
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", feed, i+1, err)
		}
		works[i] = theme.WorkOf(a)
	}
	return works, nil
}

// measure is the nDCG of a Ranker by theme.
func (o *options) measure(j *judge, r *theme.Ranker, profiles []theme.Profile, themes []string) (figures, error) {
	out := figures{}
	sum := 0.0
	scores := make([]float64, len(profiles))
	some := map[int]bool{}
	for _, t := range themes {
		asked := j.asked(t, uint64(o.seed))
		total := 0.0
		for _, q := range asked {
			some[q] = true
			query, ok := r.Query(&profiles[q], t)
			if !ok {
				return nil, fmt.Errorf("theme %q: too few labels among the works that are fitted", t)
			}
			for i := range profiles {
				scores[i] = query.Parts(&profiles[i]).Score()
			}
			total += j.ndcg(q, scores, func(other int) float64 { return j.gain(t, q, other) })
		}
		if len(asked) > 0 {
			out[t] = total / float64(len(asked))
			sum += out[t]
		}
	}
	out[mean] = sum / float64(len(out))
	return out, nil
}
