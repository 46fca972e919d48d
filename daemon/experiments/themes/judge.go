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
	themes []string
	labels map[string][][]string // theme -> work -> its terms, each once, sorted
	order  []int                 // the works in a random order, which breaks ties
}

func newJudge(labels []theme.Labels, themes []string, seed uint64) *judge {
	j := &judge{themes: themes, labels: map[string][][]string{}}
	for _, t := range themes {
		own := make([][]string, len(labels))
		for i := range labels {
			own[i] = slices.Compact(slices.Sorted(slices.Values(labels[i][t])))
		}
		j.labels[t] = own
	}
	j.order = rand.New(rand.NewPCG(seed, 1)).Perm(len(labels))
	return j
}

// gain is the Jaccard similarity of the terms of two works in a theme; in overall, its mean over the themes.
func (j *judge) gain(t string, a, b int) float64 {
	if t != overall {
		return jaccard(j.labels[t][a], j.labels[t][b])
	}
	sum := 0.0
	for _, t := range j.themes {
		sum += jaccard(j.labels[t][a], j.labels[t][b])
	}
	return sum / float64(len(j.themes))
}

func jaccard(x, y []string) float64 {
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

// gains are those of all works, when one of them asks; its own is not a number.
func (j *judge) gains(t string, query int) []float64 {
	out := make([]float64, len(j.order))
	for i := range out {
		out[i] = j.gain(t, query, i)
	}
	out[query] = math.NaN()
	return out
}

// ndcg is that of the ranking of all works but the one that asks, by their scores.
func (j *judge) ndcg(t string, query int, scores []float64) float64 {
	return j.ranked(j.gains(t, query), scores)
}

// ranked is the nDCG of works of known gains by their scores.
func (j *judge) ranked(gain, scores []float64) float64 {
	order, gains := make([]int, 0, len(scores)), make([]float64, 0, len(scores))
	for _, i := range j.order {
		if !math.IsNaN(gain[i]) {
			order, gains = append(order, i), append(gains, gain[i])
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	slices.SortFunc(gains, func(a, b float64) int { return cmp.Compare(b, a) })
	got, ideal := 0.0, 0.0
	for i := range min(best, len(order)) {
		discount := math.Log2(float64(i + 2))
		got += gain[order[i]] / discount
		ideal += gains[i] / discount
	}
	if ideal == 0 {
		return 0
	}
	return got / ideal
}
