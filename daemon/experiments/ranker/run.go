package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"kilim/learner/train/eval"
	"kilim/rerank/rank"
)

// judgedCounts are the numbers of judged artifacts that are tried.
var judgedCounts = []int{25, 50}

func (o *options) run(ctx context.Context, w io.Writer) error {
	a, err := readArchive(o.feed, o.records, o.cfg.Threads)
	if err != nil {
		return err
	}
	if o.counting {
		return o.messages(ctx, w, a)
	}
	group := groups(a.links)
	drawn := representatives(group)
	if len(drawn) < 4*slices.Max(judgedCounts) {
		return fmt.Errorf("%s: %d groups of artifacts have links of their own, want %d at least", o.feed, len(drawn), 4*slices.Max(judgedCounts))
	}
	all := a.questions(drawn)
	if err := a.askBM25(ctx, all); err != nil {
		return err
	}
	pairs, found := 0, 0
	for _, q := range all {
		pairs += len(a.links[q.at])
		for _, l := range a.links[q.at] {
			if slices.Contains(q.found, int32(l)) {
				found++
			}
		}
	}
	fmt.Fprintf(w, "%d artifacts, %d with links, in %d groups; those drawn have %d links, of which stage 1 as built finds %.3f\n",
		len(a.ids), len(group), len(drawn), pairs, float64(found)/float64(pairs))
	last, err := o.learned(ctx, w, a, all, drawn)
	if err != nil {
		return err
	}
	if err := o.recall(ctx, w, a, all, last); err != nil {
		return err
	}
	return o.throughTheRoom(ctx, w, a, all, drawn)
}

// learned prints what judgments are worth, and returns a model of the last draw with the artifacts that it was not fitted to.
func (o *options) learned(ctx context.Context, w io.Writer, a *archive, all map[int]*question, drawn []int) (*judgedDraw, error) {
	var last *judgedDraw
	for _, judged := range judgedCounts {
		fmt.Fprintf(w, "\n%d judged artifacts\n\n| draw | measured | | stated weights | BM25 | weights tuned | learned | learned - stated | learned - tuned | trees |\n|---|---|---|---|---|---|---|---|---|---|\n", judged)
		for seed := range uint64(o.seeds) {
			judge, measure := split(drawn, judged, seed+1)
			fitted, err := a.learn(ctx, all, judge, o.cfg)
			if err != nil {
				return nil, err
			}
			var bm25 []eval.Metrics
			for _, i := range measure {
				bm25 = append(bm25, all[i].byBM25)
			}
			stated := a.measured(all, measure, byStated)
			tuned := a.measured(all, measure, byWeights(a.tuned(all, judge, seed+1)))
			learned := a.measured(all, measure, byModel(fitted.Model))
			for _, metric := range []string{"nDCG@10", "MRR"} {
				s, t, l := values(stated, metric), values(tuned, metric), values(learned, metric)
				lead, verdict := eval.Paired(s, l, seed)
				over, overVerdict := eval.Paired(t, l, seed)
				fmt.Fprintf(w, "| %d | %d | %s | %.3f | %.3f | %.3f | %.3f | %+.3f (%+.3f..%+.3f) %s | %+.3f (%+.3f..%+.3f) %s | %d |\n", seed+1, len(measure), metric,
					eval.Bootstrap(s, 1).Mean, eval.Bootstrap(values(bm25, metric), 1).Mean, eval.Bootstrap(t, 1).Mean, eval.Bootstrap(l, 1).Mean,
					lead.Mean, lead.Low, lead.High, verdict, over.Mean, over.Low, over.High, overVerdict, fitted.Model.Trees())
			}
			last = &judgedDraw{fitted.Model, measure}
		}
	}
	return last, nil
}

// judgedDraw is a model and the artifacts that it was not fitted to.
type judgedDraw struct {
	model   *rank.Model
	measure []int
}

// values are one metric's.
func values(all []eval.Metrics, metric string) (out []float64) {
	at := slices.Index(eval.Names(), metric)
	for _, m := range all {
		out = append(out, m.Values()[at])
	}
	return out
}

// askBM25 ranks the whole archive by words.
func (a *archive) askBM25(ctx context.Context, all map[int]*question) error {
	for _, q := range all {
		ranking, err := a.bm25.Rank(ctx, q.ID, eval.Depth)
		if err != nil {
			return err
		}
		q.byBM25 = eval.Measure(q.Query, ranking)
	}
	return nil
}

// recall prints how many of the best ten by stage 2 over everything stage 1 finds, by source.
func (o *options) recall(ctx context.Context, w io.Writer, a *archive, asked map[int]*question, d *judgedDraw) error {
	sources := map[string]func(near, walked, posted []int32) []int32{
		"1. nearest 200 by embedding":                       func(near, _, _ []int32) []int32 { return united(candidates, near) },
		"2. walk over rare entities, 200":                   func(_, walked, _ []int32) []int32 { return united(candidates, walked) },
		"3. postings of rare words and entities, 200":       func(_, _, posted []int32) []int32 { return united(candidates, posted) },
		"4. nearest 200 and walk 200 (built)":               func(near, walked, _ []int32) []int32 { return union(united(candidates, near), walked, 2*candidates) },
		"5. nearest and walk in turn, 200":                  func(near, walked, _ []int32) []int32 { return united(candidates, near, walked) },
		"6. nearest and postings in turn, 200":              func(near, _, posted []int32) []int32 { return united(candidates, near, posted) },
		"7. nearest, postings and walk in turn, 200":        func(near, walked, posted []int32) []int32 { return united(candidates, near, posted, walked) },
		"8. nearest and postings in turn, 400":              func(near, _, posted []int32) []int32 { return united(2*candidates, near, posted) },
		"9. one of the nearest to two of the postings, 200": func(near, _, posted []int32) []int32 { return united(candidates, near, odd(posted), even(posted)) },
	}
	hits, learnedHits, all := map[string]int{}, map[string]int{}, 0
	ranked := map[string][]eval.Metrics{}
	for _, i := range d.measure[:min(o.exact, len(d.measure))] {
		if err := ctx.Err(); err != nil {
			return err
		}
		all50 := a.stated(i, a.others(i))
		learned := all50.learned(a, i, d.model)
		stated := all50.artifacts[:10]
		near, walked, posted := a.nearest(i), a.walked(i), a.posted(i)
		all += len(stated)
		a.rankEach(asked[i], d.model, learned, ranked)
		for name, source := range sources {
			found := source(near, walked, posted)
			hits[name] += common(found, stated)
			learnedHits[name] += common(found, learned[:10])
		}
	}
	fmt.Fprintf(w, "\nOf the best ten by stage 2 over everything, of %d artifacts\n\n| stage 1 | by stated weights | the best fifty by these, learned |\n|---|---|---|\n", min(o.exact, len(d.measure)))
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		fmt.Fprintf(w, "| %s | %.4f | %.4f |\n", name, float64(hits[name])/float64(all), float64(learnedHits[name])/float64(all))
	}
	fmt.Fprint(w, "\n| what is ordered, of the same artifacts | nDCG@10 |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(ranked)) {
		fmt.Fprintf(w, "| %s | %.3f |\n", name, eval.Bootstrap(values(ranked[name], "nDCG@10"), 1).Mean)
	}
	fmt.Fprintln(w, "\nLinks of records add nothing here: the feed has none.")
	return nil
}

// rankEach notes how an artifact's links are ranked when the model orders more or fewer candidates. exact are the best fifty of all artifacts,
// ordered by the model.
func (a *archive) rankEach(q *question, m *rank.Model, exact []int32, ranked map[string][]eval.Metrics) {
	note := func(name string, found []int32) {
		ids := make([]string, len(found))
		for i, o := range found {
			ids[i] = a.ids[o]
		}
		ranked[name] = append(ranked[name], eval.Measure(q.Query, ids))
	}
	order := func(score func(q *question, candidate int) float64) []int32 {
		values := make([]float64, len(q.found))
		for i := range values {
			values[i] = score(q, i)
		}
		var out []int32
		for _, id := range a.ranking(q.found, values) {
			out = append(out, int32(a.at[id]))
		}
		return out
	}
	note("1. the candidates of stage 1, by stated weights", order(byStated))
	note("2. the candidates of stage 1, learned", order(byModel(m)))
	note("3. the best fifty of these by stated weights, learned", a.stated(q.at, q.found).learned(a, q.at, m))
	note("4. the best fifty of all artifacts by stated weights, learned", exact)
}
