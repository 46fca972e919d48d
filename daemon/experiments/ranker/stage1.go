package main

import (
	"cmp"
	"slices"

	"kilim/daemon/pipeline"
	"kilim/learner/tensor/vec"
	"kilim/rerank"
	"kilim/rerank/rank"
	"kilim/rerank/rank/pair"
)

// rareShare is the most artifacts that have a rare term, in archives.
const rareShare = 0.03

// nearest are the artifacts of the largest cosines, the nearest first: what an index that misses nothing finds.
func (a *archive) nearest(query int) []int32 {
	cosines := make([]float32, len(a.ids))
	for i := range cosines {
		cosines[i] = vec.Dot(a.vectors[query], a.vectors[i])
	}
	return a.best(query, cosines)
}

// best orders all others by falling value; those of 0 or less are left out.
func (a *archive) best(query int, values []float32) []int32 {
	var out []int32
	for i, v := range values {
		if v > 0 && i != query {
			out = append(out, int32(i))
		}
	}
	slices.SortFunc(out, func(x, y int32) int { return cmp.Or(cmp.Compare(values[y], values[x]), cmp.Compare(x, y)) })
	return out
}

// walked are those that share rare entities, as package topk walks: those of the rarest entity first.
func (a *archive) walked(query int) []int32 {
	var rare []uint64
	for _, e := range a.evidence[query].Entities {
		if len(a.byEntity[e]) <= pipeline.RareMembers {
			rare = append(rare, e)
		}
	}
	slices.SortFunc(rare, func(x, y uint64) int {
		return cmp.Or(cmp.Compare(len(a.byEntity[x]), len(a.byEntity[y])), cmp.Compare(x, y))
	})
	var out []int32
	seen := map[int32]bool{int32(query): true}
	for _, e := range rare {
		for _, p := range a.byEntity[e] {
			if !seen[p.artifact] {
				seen[p.artifact] = true
				out = append(out, p.artifact)
			}
		}
	}
	return out
}

// posted are those that share rare words and entities, by what these give to the score of stage 2.
func (a *archive) posted(query int) []int32 {
	most, w := int(rareShare*float64(len(a.ids))), rerank.DefaultScoreWeights()
	values := make([]float32, len(a.ids))
	add := func(list []posting, weight float32) {
		if len(list) > most {
			return
		}
		own, _ := slices.BinarySearchFunc(list, int32(query), func(p posting, q int32) int { return cmp.Compare(p.artifact, q) })
		for _, p := range list {
			values[p.artifact] += weight * list[own].weight * p.weight
		}
	}
	for _, word := range a.evidence[query].Words {
		add(a.byWord[word.Bucket], w.Words)
	}
	for _, node := range a.evidence[query].Entities {
		add(a.byEntity[node], w.Entities)
	}
	return a.best(query, values)
}

// united takes from several sources in turn, each once, until there are so many.
func united(most int, sources ...[]int32) []int32 {
	var out []int32
	seen := map[int32]bool{}
	for i := 0; len(out) < most; i++ {
		more := false
		for _, s := range sources {
			if i >= len(s) {
				continue
			}
			more = true
			if !seen[s[i]] && len(out) < most {
				seen[s[i]] = true
				out = append(out, s[i])
			}
		}
		if !more {
			break
		}
	}
	return out
}

// built is stage 1 as package topk has it: the nearest 200, and up to 200 others that the walk finds.
func (a *archive) built(query int) []int32 {
	return union(united(candidates, a.nearest(query)), a.walked(query), 2*candidates)
}

// candidates is the default of lists.candidates.
const candidates = 200

// union adds to some artifacts those of another source, until there are so many.
func union(first, more []int32, most int) []int32 {
	out := slices.Clone(first)
	for _, o := range more {
		if len(out) == most {
			break
		}
		if !slices.Contains(first, o) {
			out = append(out, o)
		}
	}
	return out
}

// bestOf are the best of some artifacts for a query, by the stated weights.
type bestOf struct {
	artifacts  []int32
	candidates []pair.Candidate
}

// bestFifty is how many by stated weights the learned order is given, see package rank.
const bestFifty = 50

// stated returns the best fifty.
func (a *archive) stated(query int, others []int32) *bestOf {
	scored := a.scored(query, others)
	order := make([]int, len(others))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(scored[y].Score, scored[x].Score) })
	out := &bestOf{}
	for _, i := range order[:min(bestFifty, len(order))] {
		out.artifacts, out.candidates = append(out.artifacts, others[i]), append(out.candidates, scored[i])
	}
	return out
}

// learned are the fifty, ordered by a model.
func (b *bestOf) learned(a *archive, query int, m *rank.Model) []int32 {
	rows := new(pair.Rows).Of(a.facts[query], b.candidates)
	order := make([]int, len(b.artifacts))
	scores := make([]float64, len(order))
	for i := range order {
		order[i], scores[i] = i, m.Score(b.candidates[i].Score, rows[i*pair.Width:(i+1)*pair.Width])
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(scores[y], scores[x]) })
	out := make([]int32, len(order))
	for i, at := range order {
		out[i] = b.artifacts[at]
	}
	return out
}

// others are all artifacts but one.
func (a *archive) others(query int) []int32 {
	out := make([]int32, 0, len(a.ids))
	for i := range a.ids {
		if i != query {
			out = append(out, int32(i))
		}
	}
	return out
}

func common(found, best []int32) (n int) {
	for _, b := range best {
		if slices.Contains(found, b) {
			n++
		}
	}
	return n
}

func odd(list []int32) []int32  { return every(list, 1) }
func even(list []int32) []int32 { return every(list, 0) }

// every is each second of a list.
func every(list []int32, from int) (out []int32) {
	for i := from; i < len(list); i += 2 {
		out = append(out, list[i])
	}
	return out
}
