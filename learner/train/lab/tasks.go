package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/text"
	"kilim/learner/tensor/tape"
	"kilim/learner/tensor/vec"
	"kilim/learner/train"
	"kilim/learner/train/dataset"
	"kilim/learner/train/eval"
)

// result is a metric's value for each query. Macro F1 has one value only, made of votes: those of each seed, one for
// each query.
type result struct {
	task, metric string
	values       []float64
	votes        [][]vote
}

// vote is the label that the neighbours predict, and the true one.
type vote struct{ predicted, truth string }

// scorer returns the scores of all candidates for query i.
type scorer func(i int) []float32

// halfTask finds one half of a record by the other.
type halfTask struct {
	set      *train.Set
	queries  []int32 // the node of each query
	own      []int   // the record of each
	rows     []int32 // the node of each record's first half
	query    [][]text.Term
	baseline *lexicalBaseline
}

func (s *sets) newHalfTask(test []int, seed uint64) (*halfTask, error) {
	r := rand.New(rand.NewPCG(seed, 0x4a1f))
	asked := make(map[int]bool, len(test))
	for _, i := range test {
		asked[i] = true
	}
	var shown, queries []dataset.Record
	var first [][]text.Term
	h := &halfTask{}
	for i := range s.corpus.records {
		one, other := splitRecord(r, s.corpus.records[i].Record)
		shown, first = append(shown, one), append(first, s.analyze(one.Pieces))
		if asked[i] && len(other.Pieces) > 0 {
			other.Query = true
			queries = append(queries, other)
			h.own, h.query = append(h.own, i), append(h.query, s.analyze(other.Pieces))
		}
	}
	set, nodes, err := s.build(append(shown, queries...))
	if err != nil {
		return nil, err
	}
	h.set, h.rows, h.queries = set, nodes[:len(shown)], nodes[len(shown):]
	h.baseline = newLexicalBaseline(first)
	return h, nil
}

// splitRecord gives each piece, picture and recording of a record to one of two halves.
func splitRecord(r *rand.Rand, whole dataset.Record) (one, other dataset.Record) {
	pieces := slices.Clone(whole.Pieces)
	r.Shuffle(len(pieces), func(x, y int) { pieces[x], pieces[y] = pieces[y], pieces[x] })
	k := (len(pieces) + 1) / 2
	one, other = whole, whole
	one.Pieces, other.Pieces = pieces[:k], pieces[k:]
	without := func(v *dataset.Vectors, t graphstore.Type) {
		v.Contents = slices.DeleteFunc(slices.Clone(v.Contents), func(c dataset.Content) bool { return c.Type == t })
	}
	for _, take := range []func(*dataset.Vectors){
		func(v *dataset.Vectors) { v.Image = nil; without(v, graphstore.Picture) },
		func(v *dataset.Vectors) { v.Audio = nil; without(v, graphstore.Recording) },
	} {
		if r.IntN(2) == 0 {
			take(&one.Vectors)
		} else {
			take(&other.Vectors)
		}
	}
	return one, other
}

func (h *halfTask) measure(score scorer) []result {
	mrr, ten := make([]float64, len(h.own)), make([]float64, len(h.own))
	for i, own := range h.own {
		s := score(i)
		rank := 1
		for j, x := range s {
			if j != own && x >= s[own] {
				rank++
			}
		}
		mrr[i] = 1 / float64(rank)
		if rank <= 10 {
			ten[i] = 1
		}
	}
	return []result{{task: "half", metric: "MRR", values: mrr}, {task: "half", metric: "recall@10", values: ten}}
}

func (h *halfTask) embedded(z tape.Matrix) []result {
	return h.measure(func(i int) []float32 { return cosines(z, h.queries[i], h.rows) })
}

func cosines(z tape.Matrix, query int32, rows []int32) []float32 {
	out := make([]float32, len(rows))
	for j, n := range rows {
		out[j] = vec.Dot(z.Row(int(query)), z.Row(int(n)))
	}
	return out
}

// voteTask predicts labels by the nearest neighbours: of records that are set aside, whose origins are hidden.
type voteTask struct {
	set      *train.Set
	nodes    []int32
	test     []int
	visible  []bool
	texts    [][]text.Term
	baseline *lexicalBaseline
	tasks    []labels
}

// labels are those of all records for one task, "" for none, and the records that are asked.
type labels struct {
	task  string
	of    []string
	asked []int
}

func (s *sets) newVoteTask(test []int, least int) (*voteTask, error) {
	v := &voteTask{test: test, visible: make([]bool, len(s.corpus.records))}
	for i := range v.visible {
		v.visible[i] = true
	}
	for _, i := range test {
		v.visible[i] = false
	}
	var shown []dataset.Record
	for i := range s.corpus.records {
		r := s.corpus.records[i].Record
		if !v.visible[i] {
			r.Pieces = slices.DeleteFunc(slices.Clone(r.Pieces), func(p weave.Piece) bool { return p.Origin })
		}
		shown = append(shown, r)
		v.texts = append(v.texts, s.analyze(r.Pieces))
	}
	v.baseline = newLexicalBaseline(v.texts)
	of := map[string][]string{}
	for i, r := range s.corpus.records {
		set := func(task, label string) {
			if of[task] == nil {
				of[task] = make([]string, len(s.corpus.records))
			}
			of[task][i] = label
		}
		if r.Culture != "" {
			set("culture", r.Culture)
		}
		for theme, labels := range r.Themes {
			if len(labels) == 1 {
				set("theme "+theme, labels[0])
			}
		}
	}
	for task, all := range of {
		l := labels{task: task, of: all}
		count := map[string]int{}
		for _, x := range all {
			count[x]++
		}
		for i, x := range all {
			if count[x] < least {
				all[i] = ""
			}
		}
		for _, i := range test {
			if all[i] != "" {
				l.asked = append(l.asked, i)
			}
		}
		if len(l.asked) >= 20 {
			v.tasks = append(v.tasks, l)
		}
	}
	slices.SortFunc(v.tasks, func(a, b labels) int { return cmp.Compare(a.task, b.task) })
	var err error
	v.set, v.nodes, err = s.build(shown)
	return v, err
}

const neighbours = 10

// vote returns the label of most of the nearest neighbours; of equally many, that with the nearer ones.
func (v *voteTask) vote(l labels, scores []float32) string {
	var best []int
	for j, s := range scores {
		if !v.visible[j] || l.of[j] == "" || s <= 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, s, func(k int, s float32) int { return cmp.Compare(s, scores[k]) })
		if at < neighbours {
			best = slices.Insert(best, at, j)
			best = best[:min(len(best), neighbours)]
		}
	}
	weight := map[string]float64{}
	top, winner := 0.0, ""
	for _, j := range best {
		weight[l.of[j]] += 1 + float64(scores[j])*1e-3
	}
	for _, j := range best {
		if w := weight[l.of[j]]; w > top {
			top, winner = w, l.of[j]
		}
	}
	return winner
}

func (v *voteTask) measure(score func(record int, l labels) []float32) []result {
	var out []result
	for _, l := range v.tasks {
		right, votes := make([]float64, len(l.asked)), make([]vote, len(l.asked))
		every := make([]int, len(l.asked))
		for k, i := range l.asked {
			votes[k], every[k] = vote{predicted: v.vote(l, score(i, l)), truth: l.of[i]}, k
			if votes[k].predicted == votes[k].truth {
				right[k] = 1
			}
		}
		out = append(out, result{task: l.task, metric: "accuracy", values: right},
			result{task: l.task, metric: "macro F1", values: []float64{macroF1(votes, every)}, votes: [][]vote{votes}})
	}
	return out
}

// macroF1 is the mean over the classes of 2 TP / (2 TP + FP + FN), of the votes at these indices.
func macroF1(votes []vote, places []int) float64 {
	hit, said, truth := map[string]float64{}, map[string]float64{}, map[string]float64{}
	for _, k := range places {
		v := votes[k]
		said[v.predicted]++
		truth[v.truth]++
		if v.predicted == v.truth {
			hit[v.predicted]++
		}
	}
	f1 := 0.0
	for class, n := range truth {
		f1 += 2 * hit[class] / (n + said[class]) / float64(len(truth))
	}
	return f1
}

// pairedF1 is the gain in macro F1, by bootstrap over the queries, which both systems share. Of several seeds the means
// are compared.
func pairedF1(than, r result) eval.Interval {
	return eval.BootstrapOf(len(r.votes[0]), func(places []int) float64 { return r.meanF1(places) - than.meanF1(places) }, 1)
}

func (r result) meanF1(places []int) float64 {
	sum := 0.0
	for _, seed := range r.votes {
		sum += macroF1(seed, places)
	}
	return sum / float64(len(r.votes))
}

func (v *voteTask) embedded(z tape.Matrix) []result {
	return v.measure(func(i int, _ labels) []float32 {
		s := cosines(z, v.nodes[i], v.nodes)
		for j := range s { // so that all are above 0
			s[j] += 2
		}
		return s
	})
}

// mean returns the means over several seeds, query by query.
func mean(all [][]result) []result {
	out := slices.Clone(all[0])
	for k := range out {
		out[k].values = make([]float64, len(all[0][k].values))
		for _, seed := range all {
			for i, x := range seed[k].values {
				out[k].values[i] += x / float64(len(all))
			}
		}
		out[k].votes = nil
		for _, seed := range all {
			out[k].votes = append(out[k].votes, seed[k].votes...)
		}
	}
	return out
}

func seedRange(all [][]result, k int) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, seed := range all {
		sum := 0.0
		for _, x := range seed[k].values {
			sum += x / float64(len(seed[k].values))
		}
		low, high = min(low, sum), max(high, sum)
	}
	return low, high
}
