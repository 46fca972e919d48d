package maps

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCluster: each merge is of the two clusters whose leaves are nearest on the average of all that there are then, none is lower than the one before, and
// the leaves of each stand together.
func TestCluster(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := int(seed % 20)
		d := make([][]float64, n)
		for i := range d {
			d[i] = make([]float64, n)
			for j := range i {
				d[i][j] = float64(rng.IntN(40)) / 20 // ties too
				d[j][i] = d[i][j]
			}
		}
		merges, order := Cluster(n, func(i, j int) float64 { return d[i][j] })
		if sorted := slices.Sorted(slices.Values(order)); len(merges) != max(0, n-1) || len(sorted) != n || n > 0 && (sorted[0] != 0 || sorted[n-1] != n-1 || len(slices.Compact(sorted)) != n) {
			t.Fatalf("seed %d: %d merges and order %v of %d leaves", seed, len(merges), order, n)
		}
		leaves := map[int][]int{}
		for i := range n {
			leaves[i] = []int{i}
		}
		mean := func(a, b []int) (sum float64) {
			for _, i := range a {
				for _, j := range b {
					sum += d[i][j]
				}
			}
			return sum / float64(len(a)*len(b))
		}
		last := 0.0
		for i, m := range merges {
			a, b := leaves[m.A], leaves[m.B]
			if a == nil || b == nil || math.Abs(mean(a, b)-m.Height) > 1e-12 || m.Height < last-1e-12 {
				t.Fatalf("seed %d: merge %d is %+v after one at %v, of %v and %v", seed, i, m, last, a, b)
			}
			for x, p := range leaves {
				for y, q := range leaves {
					if x < y && mean(p, q) < m.Height-1e-12 {
						t.Fatalf("seed %d: merge %d is at %v, but %v and %v are nearer", seed, i, m.Height, p, q)
					}
				}
			}
			last = m.Height
			delete(leaves, m.A)
			delete(leaves, m.B)
			joined := append(slices.Clone(a), b...)
			leaves[n+i] = joined
			var at []int
			for place, leaf := range order {
				if slices.Contains(joined, leaf) {
					at = append(at, place)
				}
			}
			if at[len(at)-1]-at[0] != len(at)-1 {
				t.Fatalf("seed %d: the leaves of merge %d stand at %v", seed, i, at)
			}
		}
	}
}
