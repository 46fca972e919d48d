package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"kilim/learner/theme"
)

// best is how many of a ranking count.
const best = 10

// judge holds what is known of the ranked works.
type judge struct {
	works   []theme.Work
	labels  map[string][][]string // theme -> work -> its terms, each once, sorted
	queries int
	order   []int // the works in a random order, which breaks ties
}

func newJudge(works []theme.Work, themes []string, queries int, seed uint64) *judge {
	j := &judge{works: works, labels: map[string][][]string{}, queries: queries}
	for _, t := range themes {
		own := make([][]string, len(works))
		for i := range works {
			own[i] = slices.Compact(slices.Sorted(slices.Values(works[i].Labels[t])))
		}
		j.labels[t] = own
	}
	j.order = rand.New(rand.NewPCG(seed, 1)).Perm(len(works))
	return j
}

// asked are the works that ask in a theme: those that share a term with another one.
func (j *judge) asked(t string, seed uint64) []int {
	df := map[string]int{}
	for _, own := range j.labels[t] {
		for _, term := range own {
			df[term]++
		}
	}
	var out []int
	for i, own := range j.labels[t] {
		if slices.ContainsFunc(own, func(term string) bool { return df[term] > 1 }) {
			out = append(out, i)
		}
	}
	r := rand.New(rand.NewPCG(seed, 2))
	r.Shuffle(len(out), func(a, b int) { out[a], out[b] = out[b], out[a] })
	return out[:min(j.queries, len(out))]
}

// gain is the Jaccard similarity of the terms of two works.
func (j *judge) gain(t string, a, b int) float64 {
	x, y := j.labels[t][a], j.labels[t][b]
	both := 0
	for _, term := range x {
		if _, ok := slices.BinarySearch(y, term); ok {
			both++
		}
	}
	if both == 0 {
		return 0
	}
	return float64(both) / float64(len(x)+len(y)-both)
}

// ndcg is that of the ranking of all other works by their scores.
func (j *judge) ndcg(query int, scores []float64, gain func(other int) float64) float64 {
	ranked := make([]int, 0, len(scores))
	gains := make([]float64, 0, len(scores))
	for _, i := range j.order {
		if i != query {
			ranked, gains = append(ranked, i), append(gains, gain(i))
		}
	}
	slices.SortStableFunc(ranked, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	slices.SortFunc(gains, func(a, b float64) int { return cmp.Compare(b, a) })
	got, ideal := 0.0, 0.0
	for i := range min(best, len(ranked)) {
		discount := math.Log2(float64(i + 2))
		got += gain(ranked[i]) / discount
		ideal += gains[i] / discount
	}
	if ideal == 0 {
		return 0
	}
	return got / ideal
}
