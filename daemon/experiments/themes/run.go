package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/internal/cputime"
	"kilim/learner/theme"
)

// The names of the rankings by a model: by all parts of its scores, and by the first alone.
const (
	whole      = "kilim"
	termsAlone = "kilim, terms alone"
)

func run(ctx context.Context, o *options, stdout io.Writer) error {
	all, err := readArchive(o.feed)
	if err != nil {
		return err
	}
	if o.fit >= len(all.works) {
		return fmt.Errorf("-fit %d: %s has %d works", o.fit, o.feed, len(all.works))
	}
	asked, err := o.questions(ctx)
	if err != nil {
		return err
	}
	var peers, own map[string]figures
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		peers, err = o.peerFigures(ctx)
		return err
	})
	both.Go(func() (err error) {
		own, err = o.ownFigures(ctx, stdout, all, asked)
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	maps.Copy(own, peers)
	print(stdout, own, append(all.themes(), mean, overall))
	return nil
}

// ownFigures fits a model, ranks by it, and returns its figures by ranking.
func (o *options) ownFigures(ctx context.Context, stdout io.Writer, all *archive, asked *questions) (map[string]figures, error) {
	fitted, ranked := all.at(asked.Fitted), all.at(asked.Ranked)
	model, err := o.fitted(ctx, stdout, fitted)
	if err != nil {
		return nil, err
	}
	start := cputime.Spent()
	profiles := ranked.profiles(model)
	each := (cputime.Spent() - start) / time.Duration(len(profiles))
	r := &ranking{model: model, profiles: profiles, judge: newJudge(ranked.labels, all.themes(), uint64(o.seed))}
	by := map[string]figures{whole: {}, termsAlone: {}}
	if o.gate {
		e, err := all.evidenceOf(ctx, asked.Ranked, o.cfg.Threads)
		if err != nil {
			return nil, err
		}
		r.gates(stdout)
		if err := r.totals(ctx, stdout, e, asked.General); err != nil {
			return nil, err
		}
		return by, r.measureAll(ctx, asked, by)
	}
	known := fitted.profiles(model)
	h, err := newHeads(ctx, stdout, model, known, profiles)
	if err != nil {
		return nil, err
	}
	groups, err := o.groups(ctx, stdout, all, fitted, ranked, model, known)
	if err != nil {
		return nil, err
	}
	r.heads, r.groups = h, groups
	if err := r.judge.leakage(stdout, byHeads, h.vectors); err != nil {
		return nil, err
	}
	if err := r.judge.leakage(stdout, bySubspaces, groups); err != nil {
		return nil, err
	}
	by[byHeads], by[bySubspaces] = figures{}, figures{}
	if err := r.measureAll(ctx, asked, by); err != nil {
		return nil, err
	}
	h.printRecall(stdout)
	fmt.Fprintf(stdout, "%v a profile, %v a comparison\n", each.Round(time.Microsecond), (r.took / time.Duration(r.compared)).Round(time.Nanosecond))
	return by, nil
}

// measureAll notes the figures of all questions, with the mean of the themes.
func (r *ranking) measureAll(ctx context.Context, asked *questions, by map[string]figures) error {
	for t, queries := range asked.Asked {
		r.measure(t, queries, by)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	r.measure(overall, asked.General, by)
	for _, f := range by {
		for t := range asked.Asked {
			f[mean] += f[t] / float64(len(asked.Asked))
		}
	}
	return nil
}

// profiles are those of an archive's works.
func (a *archive) profiles(m *theme.Model) []*theme.Profile {
	out := make([]*theme.Profile, len(a.works))
	for i := range out {
		out[i] = m.Profile(&a.works[i])
	}
	return out
}

// fitted fits a model without its first theme, then declares that theme, and says what each took.
func (o *options) fitted(ctx context.Context, stdout io.Writer, a *archive) (*theme.Model, error) {
	start := cputime.Spent()
	basis, err := theme.NewBasis(o.cfg, a.works)
	if err != nil {
		return nil, err
	}
	made := cputime.Spent() - start
	labels, last := a.byID(), a.themes()[0]
	start = cputime.Spent()
	before, err := basis.Fit(ctx, without(labels, last), nil)
	if err != nil {
		return nil, err
	}
	solved := cputime.Spent() - start
	start = cputime.Spent()
	model, err := basis.Fit(ctx, labels, before)
	if err != nil {
		return nil, err
	}
	declared := cputime.Spent() - start
	data, err := model.MarshalBinary()
	if err != nil {
		return nil, err
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	fmt.Fprintf(stdout, "processor times: %d fitted on %d threads: basis in %.1f s, %d terms in %.1f s, a new theme of %d terms in %.1f s; a model takes %d MB in a file; heap %d MB with all of this\n",
		len(a.works), o.cfg.Threads, made.Seconds(), before.Terms(), solved.Seconds(), model.Terms()-before.Terms(), declared.Seconds(), len(data)>>20, m.HeapAlloc>>20)
	return model, nil
}

// without are the labels but those of a theme.
func without(labels map[string]theme.Labels, t string) map[string]theme.Labels {
	out := make(map[string]theme.Labels, len(labels))
	for id, own := range labels {
		out[id] = maps.Clone(own)
		delete(out[id], t)
	}
	return out
}

// ranking measures how a model ranks works.
type ranking struct {
	model    *theme.Model
	profiles []*theme.Profile
	heads    *heads                 // nil: only the whole score and its terms rank
	groups   map[string][][]float32 // of E, by theme and work
	judge    *judge
	compared int
	took     time.Duration // of the processor, by comparisons
}

// measure notes the mean nDCG of the queries of a theme, or of overall, and in a theme how many of the best the heads find.
func (r *ranking) measure(t string, queries []int, by map[string]figures) {
	byWhole, byTerms := make([]float64, len(r.profiles)), make([]float64, len(r.profiles))
	for _, q := range queries {
		start := cputime.Spent()
		question := r.model.Ask(r.profiles[q])
		for i, p := range r.profiles {
			var parts theme.Parts
			if t == overall {
				parts = question.General(p)
			} else {
				parts, _ = question.Compare(t, p) // a theme that the model does not know ranks at random
			}
			byWhole[i], byTerms[i] = parts.Score(), parts.Terms
		}
		r.took += cputime.Spent() - start
		r.compared += len(r.profiles)
		by[whole][t] += r.judge.ndcg(t, q, byWhole) / float64(len(queries))
		by[termsAlone][t] += r.judge.ndcg(t, q, byTerms) / float64(len(queries))
		if r.heads == nil {
			continue
		}
		if vectors := r.heads.scores(t, r.profiles[q]); vectors != nil {
			by[byHeads][t] += r.judge.ndcg(t, q, vectors) / float64(len(queries))
			by[bySubspaces][t] += r.judge.ndcg(t, q, innerProducts(r.groups[t], q)) / float64(len(queries))
			r.heads.recall[t] += found(q, byWhole, vectors) / float64(len(queries))
		}
	}
}
