package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"runtime"
	"time"

	"kilim/learner/theme"
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
	fitted, ranked := all.at(asked.Fitted), all.at(asked.Ranked)
	model, err := o.fitted(ctx, stdout, fitted)
	if err != nil {
		return err
	}
	start := cpu()
	profiles := make([]*theme.Profile, len(ranked.works))
	for i := range profiles {
		profiles[i] = model.Profile(&ranked.works[i])
	}
	each := (cpu() - start) / time.Duration(len(profiles))
	fmt.Fprintf(stdout, "%v a profile\n", each.Round(time.Microsecond))

	j := newJudge(ranked.labels, all.themes(), uint64(o.seed))
	by := map[string]figures{"kilim": {}, "kilim, terms alone": {}}
	r := &ranking{model: model, profiles: profiles, judge: j}
	start = cpu()
	for t, queries := range asked.Asked {
		by["kilim"][t], by["kilim, terms alone"][t] = r.measure(t, queries)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	by["kilim"][overall], by["kilim, terms alone"][overall] = r.measure(overall, asked.General)
	fmt.Fprintf(stdout, "%v a comparison, with its judgment\n", ((cpu() - start) / time.Duration(r.compared)).Round(time.Nanosecond))
	for _, f := range by {
		for t := range asked.Asked {
			f[mean] += f[t] / float64(len(asked.Asked))
		}
	}
	peers, err := o.peerFigures(ctx)
	if err != nil {
		return err
	}
	for method, f := range peers {
		by[method] = f
	}
	print(stdout, by, append(j.themes, mean, overall))
	return nil
}

// fitted fits a model without its first theme, then declares that theme, and says what each took.
func (o *options) fitted(ctx context.Context, stdout io.Writer, a *archive) (*theme.Model, error) {
	start := cpu()
	basis, err := theme.NewBasis(o.cfg, a.works)
	if err != nil {
		return nil, err
	}
	made := cpu() - start
	labels, last := a.byID(), a.themes()[0]
	start = cpu()
	before, err := basis.Fit(ctx, without(labels, last), nil)
	if err != nil {
		return nil, err
	}
	solved := cpu() - start
	start = cpu()
	model, err := basis.Fit(ctx, labels, before)
	if err != nil {
		return nil, err
	}
	declared := cpu() - start
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
	judge    *judge
	compared int
}

// measure is the mean nDCG of the queries of a theme, or of overall: by the whole score, and by the Terms of it alone.
func (r *ranking) measure(t string, queries []int) (whole, terms float64) {
	byWhole, byTerms := make([]float64, len(r.profiles)), make([]float64, len(r.profiles))
	for _, q := range queries {
		for i, p := range r.profiles {
			var parts theme.Parts
			if t == overall {
				parts = r.model.General(r.profiles[q], p)
			} else {
				parts, _ = r.model.Compare(t, r.profiles[q], p) // a theme that the model does not know ranks at random
			}
			byWhole[i], byTerms[i] = parts.Score(), parts.Terms
		}
		r.compared += len(r.profiles)
		whole += r.judge.ndcg(t, q, byWhole) / float64(len(queries))
		terms += r.judge.ndcg(t, q, byTerms) / float64(len(queries))
	}
	return whole, terms
}
