package maps

import "slices"

// Merge joins two clusters. A leaf is a cluster, by its number, and so is the i-th Merge of n leaves, by n+i.
type Merge struct {
	A, B int
	// Height is the mean distance of the leaves of the one from those of the other.
	Height float64
}

// Cluster joins n leaves by average linkage (Sokal and Michener 1958), the two nearest clusters first, and puts them in an order in which each cluster stands together,
// turned so that those are side by side that are near. For a few dozen leaves: it takes some n^3 operations.
func Cluster(n int, apart func(i, j int) float64) (merges []Merge, order []int) {
	type cluster struct {
		number int
		leaves []int // in their order
	}
	mean := func(a, b *cluster) float64 {
		sum := 0.0
		for _, i := range a.leaves {
			for _, j := range b.leaves {
				sum += apart(i, j)
			}
		}
		return sum / float64(len(a.leaves)*len(b.leaves))
	}
	var all []*cluster
	for i := range n {
		all = append(all, &cluster{i, []int{i}})
	}
	for len(all) > 1 {
		var best Merge
		x, y := -1, -1
		for i, a := range all {
			for j := i + 1; j < len(all); j++ {
				if h := mean(a, all[j]); x < 0 || h < best.Height {
					x, y, best = i, j, Merge{a.number, all[j].number, h}
				}
			}
		}
		joined := &cluster{n + len(merges), beside(all[x].leaves, all[y].leaves, apart)}
		merges = append(merges, best)
		all[x] = joined
		all = slices.Delete(all, y, y+1)
	}
	if len(all) == 1 {
		order = all[0].leaves
	}
	return merges, order
}

// beside puts two orders one after the other, each turned so that the leaves where they meet are as near as can be.
func beside(a, b []int, apart func(i, j int) float64) []int {
	var best []int
	least := 0.0
	for turn := range 4 {
		x, y := slices.Clone(a), slices.Clone(b)
		if turn&1 != 0 {
			slices.Reverse(x)
		}
		if turn&2 != 0 {
			slices.Reverse(y)
		}
		if d := apart(x[len(x)-1], y[0]); best == nil || d < least {
			best, least = append(x, y...), d
		}
	}
	return best
}
