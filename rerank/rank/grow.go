package rank

import "slices"

const (
	// leastRows is the number of candidates in a leaf: of fewer the judgments of one query make a rule.
	leastRows = 10
	// ridge is added to the curvature of a leaf. Lambdas of a query sum to about 1 and their curvatures to a quarter, so that a
	// leaf is believed by half when the pairs of some queries are in it.
	ridge = 1
)

// grower grows the trees of one fitting.
type grower struct {
	*binned
	leaves              int
	gradient, curvature []float64
	rows                []int32 // those of each leaf stand together
	moved               []int32
	free                []*histogram
}

// cell sums up the rows of a bin.
type cell struct {
	gradient, curvature float64
	rows                int
}

func (c *cell) add(o cell) {
	c.gradient += o.gradient
	c.curvature += o.curvature
	c.rows += o.rows
}

func (c cell) without(o cell) cell {
	return cell{c.gradient - o.gradient, c.curvature - o.curvature, c.rows - o.rows}
}

// value is the step of Newton's method on the loss of the rows.
func (c cell) value() float64 { return -c.gradient / (c.curvature + ridge) }

// merit is twice what this step takes off the loss.
func (c cell) merit() float64 { return c.gradient * c.gradient / (c.curvature + ridge) }

// histogram has the cells of each feature, by bin.
type histogram [][]cell

// leaf is one that may still be split. at is its place in the tree.
type leaf struct {
	at, from, to int
	total        cell
	cells        *histogram
	split        split
}

// split sends the bins up to bin to the left; gain is 0 where there is none.
type split struct {
	gain         float64
	feature, bin int
	left         cell
}

// grown is a tree whose nodes stand before their children, a left child before its sibling. value is that of a node's rows, as if it
// were a leaf.
type grown struct {
	feature, bin, left []int // left is 0 of a leaf
	value              []float64
}

func (g *grown) add(c cell) {
	g.feature, g.bin, g.left = append(g.feature, 0), append(g.bin, 0), append(g.left, 0)
	g.value = append(g.value, c.value())
}

// tree grows one on the features that are allowed, the leaf of the largest gain first. Its rows are g.rows, and stand leaf by leaf
// after it; leaves are what became of them.
func (g *grower) tree(allowed []int) (*grown, []leaf) {
	for i := range g.rows {
		g.rows[i] = int32(i)
	}
	root := leaf{to: len(g.rows), cells: g.histogram()}
	for _, i := range g.rows {
		root.total.add(cell{g.gradient[i], g.curvature[i], 1})
	}
	g.fill(&root, allowed)
	root.split = g.best(&root, allowed)
	t := &grown{}
	t.add(root.total)
	leaves := []leaf{root}
	for len(leaves) < g.leaves {
		best := 0
		for i := range leaves {
			if leaves[i].split.gain > leaves[best].split.gain {
				best = i
			}
		}
		if leaves[best].split.gain <= 0 {
			break
		}
		left, right := g.part(&leaves[best], t, allowed)
		leaves[best] = left
		leaves = append(leaves, right)
	}
	for i := range leaves {
		g.free = append(g.free, leaves[i].cells)
		leaves[i].cells = nil
	}
	return t, leaves
}

// part splits a leaf. The histogram of the larger part is what is left of their parent's.
func (g *grower) part(l *leaf, t *grown, allowed []int) (left, right leaf) {
	s := l.split
	middle := g.partition(l)
	at := len(t.left)
	t.feature[l.at], t.bin[l.at], t.left[l.at] = s.feature, s.bin, at
	left = leaf{at: at, from: l.from, to: middle, total: s.left}
	right = leaf{at: at + 1, from: middle, to: l.to, total: l.total.without(s.left)}
	t.add(left.total)
	t.add(right.total)
	small, large := &left, &right
	if left.to-left.from > right.to-right.from {
		small, large = &right, &left
	}
	small.cells, large.cells = g.histogram(), l.cells
	g.fill(small, allowed)
	for _, f := range allowed {
		rest := (*large.cells)[f]
		for b, c := range (*small.cells)[f] {
			rest[b] = rest[b].without(c)
		}
	}
	left.split, right.split = g.best(&left, allowed), g.best(&right, allowed)
	return left, right
}

// partition moves the rows that go to the left to the front, both in their order, and returns where the others begin.
func (g *grower) partition(l *leaf) int {
	bins, to := g.bins[l.split.feature], l.from
	g.moved = g.moved[:0]
	for _, i := range g.rows[l.from:l.to] {
		if int(bins[i]) <= l.split.bin {
			g.rows[to] = i
			to++
		} else {
			g.moved = append(g.moved, i)
		}
	}
	copy(g.rows[to:l.to], g.moved)
	return to
}

func (g *grower) histogram() *histogram {
	if n := len(g.free); n > 0 {
		h := g.free[n-1]
		g.free = g.free[:n-1]
		return h
	}
	h := make(histogram, len(g.bins))
	for f := range h {
		h[f] = make([]cell, len(g.bounds[f])+1)
	}
	return &h
}

// fill sums up a leaf's rows.
func (g *grower) fill(l *leaf, allowed []int) {
	rows := g.rows[l.from:l.to]
	for _, f := range allowed {
		cells, bins := (*l.cells)[f], g.bins[f]
		clear(cells)
		for _, i := range rows {
			c := &cells[bins[i]]
			c.gradient += g.gradient[i]
			c.curvature += g.curvature[i]
			c.rows++
		}
	}
}

// best is the split of the largest gain, of equals that of the first feature and the lowest bin.
func (g *grower) best(l *leaf, allowed []int) (best split) {
	whole := l.total.merit()
	for _, f := range allowed {
		cells := (*l.cells)[f]
		var left cell
		for b := range len(cells) - 1 {
			left.add(cells[b])
			right := l.total.without(left)
			if cells[b].rows == 0 || left.rows < leastRows || right.rows < leastRows {
				continue
			}
			if gain := left.merit() + right.merit() - whole; gain > best.gain {
				best = split{gain, f, b, left}
			}
		}
	}
	return best
}

func newGrower(b *binned, rows, leaves int) *grower {
	return &grower{binned: b, leaves: leaves, gradient: make([]float64, rows), curvature: make([]float64, rows),
		rows: slices.Grow([]int32(nil), rows)[:rows]}
}
