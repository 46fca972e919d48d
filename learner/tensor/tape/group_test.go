package tape

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestGroupsAddUpToTheWhole: with a factor for each relation, the sums by Groups are those by the Edges that they were
// made of.
func TestGroupsAddUpToTheWhole(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 6))
	const rows, sources, relations, width = 90, 20, 5, 3
	csr, relation := graph(r, rows, sources, relations)
	whole, err := NewEdges(csr, relation, sources, relations)
	if err != nil {
		t.Fatal(err)
	}
	x, c := mat{sources, width, numbers(r, sources*width)}, mat{relations, 1, numbers(r, relations)}
	want := mix64(x, c, csr, relation)
	for limit := range relations + 1 {
		g := whole.Group(limit)
		if g == nil {
			if limit > 1 { // below, there is no row with fewer relations and some
				t.Errorf("limit %d: nothing is taken apart", limit)
			}
			continue
		}
		all := zeros(g.Many.Rows()+g.Few.Rows(), width)
		copy(all.v, mix64(x, c, g.Many.csr, g.Many.relation).v)
		few, from := mix64(x, mat{1, 1, []float64{1}}, g.Few.csr, g.Few.relation), 0
		for i, to := range g.Ends {
			for j := from; j < to; j++ {
				for k, v := range few.row(j) {
					*all.at(g.Many.Rows()+j, k) = v * c.v[g.Relations[i]]
				}
			}
			from = to
		}
		if from != few.rows || g.Scatter.Sources() != all.rows {
			t.Fatalf("limit %d: %d of %d rows have a relation, %d of %d are scattered", limit, from, few.rows, g.Scatter.Sources(), all.rows)
		}
		got := mix64(all, mat{1, 1, []float64{1}}, g.Scatter.csr, g.Scatter.relation)
		for i, v := range want.v {
			if math.Abs(v-got.v[i]) > 1e-9 {
				t.Fatalf("limit %d: element %d is %v, want %v", limit, i, got.v[i], v)
			}
		}
		for i := range g.Many.Rows() {
			seen := map[int32]bool{}
			for e := g.Many.csr.Start[i]; e < g.Many.csr.Start[i+1]; e++ {
				seen[g.Many.relation[e]] = true
			}
			if len(seen) < limit {
				t.Fatalf("limit %d: a row of many has %d relations", limit, len(seen))
			}
		}
	}
}
