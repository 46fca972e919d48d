package main

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"

	"kilim/learner/train/eval"
	"kilim/rerank"
	"kilim/rerank/rank"
	"kilim/rerank/rank/pair"
)

// question is an artifact that has links, with its candidates.
type question struct {
	eval.Query
	at int
	// found are the candidates of stage 1, rows their features.
	found      []int32
	candidates []pair.Candidate
	rows       []float32
	byBM25     eval.Metrics
}

// questions asks for some artifacts that have links.
func (a *archive) questions(asked []int) map[int]*question {
	out := map[int]*question{}
	var rows pair.Rows
	for _, i := range asked {
		q := &question{Query: eval.Query{ID: a.ids[i], Relevant: map[string]float64{}}, at: i, found: a.built(i)}
		for _, o := range a.links[i] {
			q.Relevant[a.ids[o]] = 1
		}
		q.candidates = a.scored(i, q.found)
		q.rows = slices.Clone(rows.Of(a.facts[i], q.candidates))
		out[i] = q
	}
	return out
}

// representatives are one artifact of each group, drawn once: none is measured of a group of which one is judged, and a set of twenty counts no more
// than a pair.
func representatives(group map[int]int) []int {
	members := map[int][]int{}
	for _, i := range slices.Sorted(maps.Keys(group)) {
		members[group[i]] = append(members[group[i]], i)
	}
	rng := rand.New(rand.NewPCG(1, 0x5e7))
	var drawn []int
	for _, g := range slices.Sorted(maps.Keys(members)) {
		drawn = append(drawn, members[g][rng.IntN(len(members[g]))])
	}
	return drawn
}

// split draws those that are judged; the others are measured.
func split(drawn []int, judged int, seed uint64) (judge, measure []int) {
	drawn = slices.Clone(drawn)
	rand.New(rand.NewPCG(seed, 0x5e7)).Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	return drawn[:judged], drawn[judged:]
}

// judged makes what Fit learns from: the links are of grade 1, all other candidates of grade 0. A link that stage 1 has missed is judged
// too, as somebody would who knows of it.
func (a *archive) judged(q *question) rank.Query {
	missing := slices.DeleteFunc(slices.Clone(a.links[q.at]), func(o int) bool { return slices.Contains(q.found, int32(o)) })
	found, candidates, rows := q.found, q.candidates, q.rows
	if len(missing) > 0 {
		found = slices.Clone(found)
		for _, o := range missing {
			found = append(found, int32(o))
		}
		candidates = a.scored(q.at, found)
		rows = new(pair.Rows).Of(a.facts[q.at], candidates)
	}
	out := rank.Query{Key: q.ID}
	for i, o := range found {
		c := rank.Candidate{Features: rows[i*pair.Width : (i+1)*pair.Width], Prior: candidates[i].Score}
		if slices.Contains(a.links[q.at], int(o)) {
			c.Grade = 1
		}
		out.Candidates = append(out.Candidates, c)
	}
	return out
}

// learn fits a model to the judged artifacts.
func (a *archive) learn(ctx context.Context, all map[int]*question, judge []int, cfg rank.Config) (*rank.Fitted, error) {
	var queries []rank.Query
	for _, i := range judge {
		queries = append(queries, a.judged(all[i]))
	}
	return rank.Fit(ctx, pair.Names(), queries, cfg)
}

// measured are the metrics of some artifacts' candidates, ranked by a score.
func (a *archive) measured(all map[int]*question, measure []int, score func(q *question, candidate int) float64) (out []eval.Metrics) {
	for _, i := range measure {
		q := all[i]
		values := make([]float64, len(q.found))
		for c := range values {
			values[c] = score(q, c)
		}
		out = append(out, eval.Measure(q.Query, a.ranking(q.found, values)))
	}
	return out
}

func (a *archive) ranking(found []int32, values []float64) []string {
	order := make([]int, len(found))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int {
		switch {
		case values[x] > values[y]:
			return -1
		case values[x] < values[y]:
			return 1
		}
		return 0
	})
	ids := make([]string, 0, eval.Depth)
	for _, i := range order[:min(eval.Depth, len(order))] {
		ids = append(ids, a.ids[found[i]])
	}
	return ids
}

func byStated(q *question, candidate int) float64 { return float64(q.candidates[candidate].Score) }

func byModel(m *rank.Model) func(q *question, candidate int) float64 {
	return func(q *question, c int) float64 {
		return m.Score(q.candidates[c].Score, q.rows[c*pair.Width:(c+1)*pair.Width])
	}
}

func byWeights(w rerank.ScoreWeights) func(q *question, candidate int) float64 {
	return func(q *question, c int) float64 {
		p := q.candidates[c].Parts
		return float64(w.Cosine*p.Cosine + w.Entities*p.Entities + w.Words*p.Words + w.Date*p.Date + w.Link*p.Link)
	}
}

// tuned are the weights, of a thousand drawn, that rank the judged artifacts best: what judgments are worth without a model.
func (a *archive) tuned(all map[int]*question, judge []int, seed uint64) rerank.ScoreWeights {
	rng := rand.New(rand.NewPCG(seed, 0x3a1))
	best, most := rerank.DefaultScoreWeights(), -1.0
	for try := range 1000 {
		w := best
		if try > 0 {
			w.Cosine, w.Entities, w.Words, w.Date = rng.Float32(), rng.Float32(), rng.Float32(), rng.Float32()/2
		}
		sum := 0.0
		for _, m := range a.measured(all, judge, byWeights(w)) {
			sum += m.NDCG10
		}
		if sum > most {
			best, most = w, sum
		}
	}
	return best
}
