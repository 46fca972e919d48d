package tape

import (
	"slices"

	"kilim/learner/tensor/par"
	"kilim/learner/tensor/sparse"
	"kilim/learner/tensor/vec"
)

// Features are rows of Cols numbers that a model reads. They have no gradient.
type Features struct {
	Cols int
	Rows []sparse.Vector
}

// NewFeatures returns the rows of dense numbers, whose memory it may share.
func NewFeatures(cols int, dense []float32) Features {
	f := Features{Cols: cols}
	for ; len(dense) > 0; dense = dense[cols:] {
		f.Rows = append(f.Rows, sparse.Of(dense[:cols:cols]))
	}
	return f
}

// Rows are what Gather returns: those that are whole in a matrix, the sparse ones each as it is.
type Rows struct {
	matrix Matrix  // the whole rows, in their order
	whole  []int32 // the place of each among all rows, ascending
	few    []int32 // the places of the others, ascending
	sparse []sparse.Vector
}

// first is the first n rows.
func (x *Rows) first(n int) Rows {
	w, _ := slices.BinarySearch(x.whole, int32(n))
	f, _ := slices.BinarySearch(x.few, int32(n))
	return Rows{x.matrix.Slice(0, w), x.whole[:w], x.few[:f], x.sparse[:f]}
}

type gather struct {
	rows     Rows
	features Features
	csr      CSR
}

// Gather returns the rows of which row i is the sum of Weight[e] * the row Source[e] of f over the entries of row i. One
// that is a sparse row as it stands, and one without entries, stays sparse.
func (t *Tape) Gather(f Features, c CSR) *Rows {
	o := t.slabs.gathers.next()
	*o = gather{Rows{whole: o.rows.whole[:0], few: o.rows.few[:0], sparse: o.rows.sparse[:0]}, f, c}
	x := &o.rows
	for i := range int32(c.Rows()) {
		switch from, to := c.Start[i], c.Start[i+1]; {
		case from == to:
			x.few, x.sparse = append(x.few, i), append(x.sparse, sparse.Vector{Length: f.Cols})
		case to == from+1 && c.Weight[from] == 1 && !f.Rows[c.Source[from]].Whole():
			x.few, x.sparse = append(x.few, i), append(x.sparse, f.Rows[c.Source[from]])
		default:
			x.whole = append(x.whole, i)
		}
	}
	x.matrix = Constant(len(x.whole), f.Cols, t.Scratch(len(x.whole)*f.Cols))
	t.worker.Run(o, parts(len(x.whole)))
	return x
}

// Part sums some of the whole rows.
func (o *gather) Part(i int, _ *par.Worker) {
	from, to := bounds(i, len(o.rows.whole))
	for k := from; k < to; k++ {
		place := o.rows.whole[k]
		a, b := o.csr.Start[place], o.csr.Start[place+1]
		o.sum(o.rows.matrix.Row(k), o.csr.Source[a:b], o.csr.Weight[a:b])
	}
}

// sum writes the weighted sum of some rows of the features to row: of the whole ones, and then of the others.
func (o *gather) sum(row []float32, sources []int32, weights []float32) {
	var rows [16][]float32
	var weight [len(rows)]float32
	n, add := 0, false
	flush := func() {
		vec.Sum(rows[:n], weight[:n], row, add)
		n, add = 0, true
	}
	for e, s := range sources {
		if x := &o.features.Rows[s]; x.Whole() {
			rows[n], weight[n] = x.Value, weights[e]
			if n++; n == len(rows) {
				flush()
			}
		}
	}
	flush()
	for e, s := range sources {
		if x := &o.features.Rows[s]; !x.Whole() {
			for k, at := range x.Index {
				row[at] += float32(weights[e] * x.Value[k])
			}
		}
	}
}
