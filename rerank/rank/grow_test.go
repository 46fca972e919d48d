package rank

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// dullTree splits, of all leaves, by all features, at all values, where the loss falls most; rows and their sums are looked
// for anew each time.
type dullTree struct {
	columns             [][]float32
	gradient, curvature []float64
}

func (d *dullTree) sum(rows []int) (c cell) {
	for _, i := range rows {
		c.add(cell{d.gradient[i], d.curvature[i], 1})
	}
	return c
}

type dullSplit struct {
	gain        float64
	feature     int
	value       float32
	left, right []int
}

func (d *dullTree) best(rows []int) (best dullSplit) {
	for f, column := range d.columns {
		values := []float32{}
		for _, i := range rows {
			values = append(values, column[i])
		}
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			s := dullSplit{feature: f, value: v}
			for _, i := range rows {
				if column[i] <= v {
					s.left = append(s.left, i)
				} else {
					s.right = append(s.right, i)
				}
			}
			if len(s.left) < leastRows || len(s.right) < leastRows {
				continue
			}
			s.gain = d.sum(s.left).merit() + d.sum(s.right).merit() - d.sum(rows).merit()
			if s.gain > best.gain {
				best = s
			}
		}
	}
	return best
}

// leaves returns the rows of each leaf, in the order in which a grower keeps them.
func (d *dullTree) leaves(most int) [][]int {
	all := make([]int, len(d.gradient))
	for i := range all {
		all[i] = i
	}
	leaves := [][]int{all}
	for len(leaves) < most {
		at, best := 0, dullSplit{}
		for i := range leaves {
			if s := d.best(leaves[i]); s.gain > best.gain {
				at, best = i, s
			}
		}
		if best.gain <= 0 {
			break
		}
		leaves[at] = best.left
		leaves = append(leaves, best.right)
	}
	return leaves
}

// Where a feature has no more values than there are bins, histograms grow the tree that a search over all values grows. The gradients are
// whole numbers, so that sums are the same in whatever order; the ridge is a power of two for the same reason.
func TestTreesAgainstExactSplits(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 11))
	for history := range 60 {
		rows, features := 20+rng.IntN(300), 1+rng.IntN(6)
		d := &dullTree{columns: make([][]float32, features)}
		for f := range d.columns {
			values := 1 + rng.IntN(quantileBins)
			for range rows {
				d.columns[f] = append(d.columns[f], float32(rng.IntN(values))/3-5)
			}
		}
		for range rows {
			d.gradient = append(d.gradient, float64(rng.IntN(41)-20))
			d.curvature = append(d.curvature, float64(rng.IntN(10)))
		}
		most := 2 + rng.IntN(14)
		g := newGrower(bin(d.columns, quantileBins), rows, most)
		g.gradient, g.curvature = d.gradient, d.curvature
		allowed := make([]int, features)
		for f := range allowed {
			allowed[f] = f
		}
		for range 2 { // again with the memory of the first
			tree, got := g.tree(allowed)
			want := d.leaves(most)
			if len(got) != len(want) || len(tree.value) != 2*len(want)-1 {
				t.Fatalf("history %d: %d leaves of %d nodes, want %d", history, len(got), len(tree.value), len(want))
			}
			for i, l := range got {
				var own []int
				for _, row := range g.rows[l.from:l.to] {
					own = append(own, int(row))
				}
				if !slices.Equal(own, want[i]) {
					t.Fatalf("history %d, leaf %d: rows %v, want %v", history, i, own, want[i])
				}
				if value := d.sum(own).value(); tree.value[l.at] != value {
					t.Fatalf("history %d, leaf %d: value %v, want %v", history, i, tree.value[l.at], value)
				}
			}
			model := &Model{names: names(features)}
			values := model.appendTree(tree, g.bounds, 1)
			quick := quickOf(model)
			x := make([]float32, features)
			for _, l := range got {
				for _, row := range g.rows[l.from:l.to] {
					for f := range x {
						x[f] = d.columns[f][row]
					}
					if sum := quick.sum(x); sum != int64(values[l.at]) {
						t.Fatalf("history %d: row %d scores %d, its leaf has %d", history, row, sum, values[l.at])
					}
				}
			}
		}
	}
}

// Bins of many values are rising, hold equal values together, and none holds far more than its share.
func TestQuantileBins(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(12, 12))
	for range 40 {
		column := make([]float32, 1000+rng.IntN(1000))
		for i := range column {
			column[i] = float32(rng.ExpFloat64())
			if rng.IntN(4) == 0 {
				column[i] = float32(rng.IntN(3)) // values that come again and again
			}
		}
		b := bin([][]float32{column}, quantileBins)
		if n := len(b.bounds[0]); n >= quantileBins || n < quantileBins/2 || !slices.IsSorted(b.bounds[0]) {
			t.Fatalf("%d bounds %v", n, b.bounds[0])
		}
		counts := map[uint8]int{}
		values := map[uint8]map[float32]bool{}
		for i, v := range column {
			at := b.bins[0][i]
			if int(at) < len(b.bounds[0]) && v > b.bounds[0][at] || at > 0 && v <= b.bounds[0][at-1] {
				t.Fatalf("%v is in bin %d of %v", v, at, b.bounds[0])
			}
			if values[at] == nil {
				values[at] = map[float32]bool{}
			}
			counts[at]++
			values[at][v] = true
		}
		for at, n := range counts {
			if n > 3*len(column)/quantileBins && len(values[at]) > len(column)/quantileBins+2 {
				t.Fatalf("bin %d has %d of %d values", at, n, len(column))
			}
		}
	}
}
