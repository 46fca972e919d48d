package main

import (
	"math"
	"strconv"

	"kilim/learner/encode/text"
	"kilim/learner/train/eval"
)

// lexicalBaseline ranks records by their words: by cosines of tf-idf, and by BM25.
type lexicalBaseline struct {
	postings map[uint32][]weighted
	length   []float64
	n        int
	bm25     *eval.BM25
}

type weighted struct {
	doc    int32
	weight float32
}

func newLexicalBaseline(docs [][]text.Term) *lexicalBaseline {
	w := &lexicalBaseline{postings: map[uint32][]weighted{}, length: make([]float64, len(docs)), n: len(docs), bm25: eval.NewBM25()}
	for i, d := range docs {
		var terms []eval.Term
		for _, t := range d {
			w.postings[t.Bucket] = append(w.postings[t.Bucket], weighted{int32(i), float32(1 + math.Log(float64(t.Count)))})
			terms = append(terms, eval.Term{Word: t.Bucket, Count: int(t.Count)})
		}
		w.bm25.Add(strconv.Itoa(i), terms)
	}
	for _, list := range w.postings {
		idf := w.idf(len(list))
		for k := range list {
			list[k].weight *= idf
			w.length[list[k].doc] += float64(list[k].weight) * float64(list[k].weight)
		}
	}
	return w
}

func (w *lexicalBaseline) idf(df int) float32 {
	return float32(math.Log(float64(1+w.n)/float64(1+df)) + 1)
}

// cosines returns the cosine of a document with each record, up to the document's own length, which doesn't change
// their order.
func (w *lexicalBaseline) cosines(terms []text.Term) []float32 {
	out := make([]float32, w.n)
	for _, t := range terms {
		list := w.postings[t.Bucket]
		q := float32(1+math.Log(float64(t.Count))) * w.idf(len(list))
		for _, p := range list {
			out[p.doc] += q * p.weight
		}
	}
	for i := range out {
		if w.length[i] > 0 {
			out[i] /= float32(math.Sqrt(w.length[i]))
		}
	}
	return out
}

// bm25Scores returns scores of the k best documents that fall with their rank, and 0 for the others.
func (w *lexicalBaseline) bm25Scores(terms []text.Term, k int, keep func(doc int) bool) []float32 {
	var query []eval.Term
	for _, t := range terms {
		query = append(query, eval.Term{Word: t.Bucket, Count: int(t.Count)})
	}
	out := make([]float32, w.n)
	number := func(id string) int {
		n, err := strconv.Atoi(id)
		if err != nil {
			panic("lab: a document that was not added: " + id)
		}
		return n
	}
	for rank, id := range w.bm25.Rank(query, k, func(id string) bool { return keep(number(id)) }) {
		out[number(id)] = 1 / float32(rank+1)
	}
	return out
}
