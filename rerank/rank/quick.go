package rank

import (
	"cmp"
	"math/bits"
	"slices"
)

// quick has the trees of a Model by feature (QuickScorer: Lucchese et al., "QuickScorer: a Fast Algorithm to Rank Documents with Additive
// Ensembles of Regression Trees", SIGIR 2015). The leaves of a tree are bits, the leftmost lowest. A split that a candidate is above clears the
// leaves on its left; the lowest bit that is left when all such splits of all trees have been met is where a walk would have
// ended. The splits of a feature rise by threshold, so the processor guesses wrongly once a feature; in walks it does once a split, which
// took ten times as long.
type quick struct {
	trees int
	// from[f] to from[f+1] are the splits by feature f.
	from   []int32
	splits []clearing
	leaves []int32 // the values of the leaves, mostLeaves a tree
}

// clearing leaves a candidate above the threshold some leaves of a tree.
type clearing struct {
	threshold    float32
	tree, leaves uint16
}

func quickOf(m *Model) quick {
	type by struct {
		feature uint16
		clearing
	}
	var all []by
	q := quick{trees: len(m.starts), leaves: make([]int32, len(m.starts)*mostLeaves)}
	for t, start := range m.starts {
		leaves := 0
		// below numbers the leaves below a node, from the left, and returns their bits.
		var below func(at int) uint16
		below = func(at int) uint16 {
			n := m.nodes[at]
			left := int(start) + int(n.left)
			if left == at {
				q.leaves[t*mostLeaves+leaves] = m.values[at]
				leaves++
				return 1 << (leaves - 1)
			}
			lower := below(left)
			all = append(all, by{n.feature, clearing{n.threshold, uint16(t), ^lower}})
			return lower | below(left+1)
		}
		below(int(start))
	}
	slices.SortFunc(all, func(a, b by) int {
		return cmp.Or(cmp.Compare(a.feature, b.feature), cmp.Compare(a.threshold, b.threshold), cmp.Compare(a.tree, b.tree))
	})
	q.from = make([]int32, len(m.names)+1)
	for _, s := range all {
		q.from[s.feature+1]++
		q.splits = append(q.splits, s.clearing)
	}
	for f := range m.names {
		q.from[f+1] += q.from[f]
	}
	return q
}

// sum adds up the leaves that a candidate ends in.
func (q *quick) sum(features []float32) (sum int64) {
	var alive [mostTrees]uint16
	for t := range alive[:q.trees] {
		alive[t] = ^uint16(0)
	}
	for f, x := range features[:len(q.from)-1] {
		for _, s := range q.splits[q.from[f]:q.from[f+1]] {
			if !(x > s.threshold) {
				break
			}
			alive[s.tree%mostTrees] &= s.leaves
		}
	}
	for t, leaves := range alive[:q.trees] {
		sum += int64(q.leaves[t*mostLeaves+bits.TrailingZeros16(leaves)])
	}
	return sum
}
