package eval

import (
	"cmp"
	"math"
	"slices"
)

// Depth is how much of a ranking is measured.
const Depth = 50

// Query is an artifact with the grades, above 0, of those that are like it, by id.
type Query struct {
	ID       string
	Relevant map[string]float64
}

// Metrics are those of one query, or their means over queries.
type Metrics struct {
	NDCG10   float64 `json:"ndcg_10"`
	Recall10 float64 `json:"recall_10"`
	Recall50 float64 `json:"recall_50"`
	MRR      float64 `json:"mrr"`
}

// Names returns the names of the metrics, in the order of Values.
func Names() []string { return []string{"nDCG@10", "recall@10", "recall@50", "MRR"} }

// Values returns the metrics in the order of Names.
func (m Metrics) Values() []float64 { return []float64{m.NDCG10, m.Recall10, m.Recall50, m.MRR} }

// Measure returns the Metrics of a ranking of the candidates for a query, best first, without the query itself. They
// are all 0 for a query to which nothing is relevant.
func Measure(q Query, ranking []string) Metrics {
	var m Metrics
	if len(q.Relevant) == 0 {
		return m
	}
	grades := make([]float64, 0, len(q.Relevant))
	for _, g := range q.Relevant {
		grades = append(grades, g)
	}
	slices.SortFunc(grades, func(a, b float64) int { return cmp.Compare(b, a) })
	best := 0.0
	for i, g := range grades[:min(10, len(grades))] {
		best += g / math.Log2(float64(i+2))
	}
	gain, found10, found50 := 0.0, 0, 0
	for i, id := range ranking[:min(Depth, len(ranking))] {
		g := q.Relevant[id]
		if g <= 0 {
			continue
		}
		if m.MRR == 0 {
			m.MRR = 1 / float64(i+1)
		}
		found50++
		if i < 10 {
			found10++
			gain += g / math.Log2(float64(i+2))
		}
	}
	m.NDCG10 = gain / best
	m.Recall10 = float64(found10) / float64(len(grades))
	m.Recall50 = float64(found50) / float64(len(grades))
	return m
}
