package eval

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// Term is a word by its number, and how often a document has it.
type Term struct {
	Word  uint32
	Count int
}

// BM25 ranks documents by the words of a query (Robertson and Zaragoza 2009, section 3.4), with k1 = 1.2, b = 0.75 and
// the words of the query counted as often as it has them. Scores are never negative: idf is ln(1 + (N - n + 0.5) / (n +
// 0.5)).
type BM25 struct {
	ids      []string
	lengths  []float64
	mean     float64
	postings map[uint32][]posting
}

type posting struct {
	doc   int32
	count float32
}

const (
	k1 = 1.2
	b  = 0.75
)

// NewBM25 returns an index without documents.
func NewBM25() *BM25 { return &BM25{postings: map[uint32][]posting{}} }

// Add adds a document. All documents are added before the first Rank.
func (x *BM25) Add(id string, terms []Term) {
	doc, length := int32(len(x.ids)), 0.0
	for _, t := range terms {
		x.postings[t.Word] = append(x.postings[t.Word], posting{doc, float32(t.Count)})
		length += float64(t.Count)
	}
	x.ids, x.lengths = append(x.ids, id), append(x.lengths, length)
	x.mean += (length - x.mean) / float64(len(x.ids))
}

// Rank returns the k best documents of a score above 0 that keep allows (nil: all), best first, ties by id.
func (x *BM25) Rank(query []Term, k int, keep func(id string) bool) []string {
	scores := map[int32]float64{}
	for _, t := range query {
		list := x.postings[t.Word]
		if len(list) == 0 {
			continue
		}
		n := float64(len(list))
		idf := math.Log(1 + (float64(len(x.ids))-n+0.5)/(n+0.5))
		for _, p := range list {
			tf := float64(p.count)
			scores[p.doc] += float64(t.Count) * idf * tf * (k1 + 1) / (tf + k1*(1-b+b*x.lengths[p.doc]/x.mean))
		}
	}
	docs := make([]int32, 0, len(scores))
	for d := range scores {
		if keep == nil || keep(x.ids[d]) {
			docs = append(docs, d)
		}
	}
	slices.SortFunc(docs, func(p, q int32) int {
		return cmp.Or(cmp.Compare(scores[q], scores[p]), cmp.Compare(x.ids[p], x.ids[q]))
	})
	out := make([]string, min(k, len(docs)))
	for i := range out {
		out[i] = x.ids[docs[i]]
	}
	return out
}

// Stored is BM25 as a Ranker, of which the queries are documents of its own.
type Stored struct {
	index *BM25
	terms map[string][]Term
}

// NewStored returns a Stored without documents.
func NewStored() *Stored { return &Stored{NewBM25(), map[string][]Term{}} }

// Add adds a document.
func (s *Stored) Add(id string, terms []Term) {
	s.terms[id] = terms
	s.index.Add(id, terms)
}

func (s *Stored) Rank(_ context.Context, id string, k int) ([]string, error) {
	terms, ok := s.terms[id]
	if !ok {
		return nil, ErrUnknown
	}
	return s.index.Rank(terms, k, func(other string) bool { return other != id }), nil
}
