package tape

import (
	"math"

	"kilim/learner/tensor/attend"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
)

// AttentionVectors have a row for each relation: a_r, q_r and p_r of package attend.
type AttentionVectors struct{ Neighbour, Relation, Reader Matrix }

type attending struct {
	y, x  Matrix
	by    AttentionVectors
	edges *Edges
	pairs *Pairs
	// share, slope and says are of each entry: the share of its source in what its pair reads, the slope of its logit, and the score that the
	// source adds to that of the relation.
	share, slope, says []float32
	// weight and pairSlope are of each pair: by what its mean is multiplied, and the slope of its logit.
	weight, pairSlope []float32
	// dScore, dSays and dPair are, while going back, the gradients of the scores of entries, of says and of the scores of pairs; reads
	// are the scalar products of sources with the gradients of y.
	dScore, dSays, dPair, reads []float32
}

// Attend writes to y, for each pair of the edges, what its row reads of x over the relation: the weighted mean of the sources, times the
// weight of the relation among those of the row (package attend). The row itself is the row of x of the same number. The weights of
// the entries are not read.
func (t *Tape) Attend(y, x Matrix, by AttentionVectors, edges *Edges) {
	pairs := edges.Pairs()
	mustFit("x", x.Rows, edges.sources)
	mustFit("y", y.Rows, pairs.Len())
	mustFit("y", y.Cols, x.Cols)
	for _, m := range []Matrix{by.Neighbour, by.Relation, by.Reader} {
		mustFit("weights of relations", m.Cols, x.Cols)
	}
	o := t.slabs.attends.next()
	n, k := len(edges.relation), pairs.Len()
	*o = attending{y: y, x: x, by: by, edges: edges, pairs: pairs, share: t.Scratch(n), slope: t.Scratch(n), says: t.Scratch(n), weight: t.Scratch(k), pairSlope: t.Scratch(k)}
	t.worker.Run((*attendForward)(o), parts(edges.Rows()))
	t.record(o, y)
}

// of are the entries of a pair, and its relation.
func (o *attending) of(pair int32) (entries []int32, relation int) {
	entries = o.pairs.entries[o.pairs.start[pair]:o.pairs.start[pair+1]]
	return entries, int(o.edges.relation[entries[0]])
}

func (o *attending) source(entry int32) []float32 { return o.x.Row(int(o.edges.csr.Source[entry])) }

type attendForward attending

func (f *attendForward) Part(i int, _ *par.Worker) {
	o := (*attending)(f)
	from, to := bounds(i, o.edges.Rows())
	for r := from; r < to; r++ {
		first, last := o.pairs.Rows.csr.Start[r], o.pairs.Rows.csr.Start[r+1]
		total := 0.0
		for k := first; k < last; k++ {
			entries, relation := o.of(k)
			score := o.readPair(entries, relation, o.y.Row(int(k))) + attend.Dot(o.by.Reader.Row(relation), o.x.Row(r))
			w := attend.Weight(attend.Clip(score))
			total += w
			o.weight[k], o.pairSlope[k] = float32(w), float32(attend.Slope(score))
		}
		for k := first; k < last; k++ {
			o.weight[k] *= float32(float64(last-first) / total)
			y := o.y.Row(int(k))
			for j := range y {
				y[j] *= o.weight[k]
			}
		}
	}
}

// readPair writes the weighted mean of the sources of a pair, and returns what it adds to the score of its relation.
func (o *attending) readPair(entries []int32, relation int, mean []float32) (says float64) {
	total := 0.0
	for _, e := range entries {
		score := attend.Dot(o.by.Neighbour.Row(relation), o.source(e))
		w := attend.Weight(attend.Clip(score))
		o.share[e], o.slope[e] = float32(w), float32(attend.Slope(score))
		total += w
	}
	clear(mean)
	for _, e := range entries {
		o.share[e] /= float32(total)
		o.says[e] = float32(attend.Dot(o.by.Relation.Row(relation), o.source(e)))
		says += float64(o.share[e]) * float64(o.says[e])
		vec.Axpy(o.share[e], o.source(e), mean)
	}
	return says
}

func (o *attending) backward(t *Tape) {
	o.y.ensureZeroed()
	n := len(o.edges.relation)
	o.dScore, o.dSays, o.reads, o.dPair = t.Scratch(n), t.Scratch(n), t.Scratch(n), t.Scratch(o.pairs.Len())
	t.worker.Run((*attendScores)(o), parts(o.edges.Rows()))
	if o.x.grad != nil {
		o.x.ensureZeroed()
		t.worker.Run((*attendSources)(o), parts(o.x.Rows))
	}
	if o.by.Neighbour.grad != nil {
		for _, m := range []Matrix{o.by.Neighbour, o.by.Relation, o.by.Reader} {
			m.ensureZeroed()
		}
		t.worker.Run((*attendVectors)(o), len(o.pairs.relations))
	}
}

func (o *attending) dy(pair int32) []float32 {
	return o.y.Grad()[int(pair)*o.y.Cols : int(pair+1)*o.y.Cols]
}

// scale is by what attend.Dot multiplies a scalar product.
func (o *attending) scale() float32 { return float32(1 / math.Sqrt(float64(o.x.Cols))) }

// attendScores are the gradients of all scores.
type attendScores attending

func (f *attendScores) Part(i int, _ *par.Worker) {
	o := (*attending)(f)
	from, to := bounds(i, o.edges.Rows())
	for r := from; r < to; r++ {
		first, last := o.pairs.Rows.csr.Start[r], o.pairs.Rows.csr.Start[r+1]
		n, along := float32(last-first), float32(0) // along: the sum over the pairs of their weights times their gradients
		for k := first; k < last; k++ {
			entries, _ := o.of(k)
			d := float32(0)
			for _, e := range entries {
				o.reads[e] = vec.Dot(o.dy(k), o.source(e))
				d += o.share[e] * o.reads[e]
			}
			o.dPair[k] = d
			along += o.weight[k] / n * d
		}
		for k := first; k < last; k++ {
			entries, _ := o.of(k)
			// weight is n times a softmax.
			o.dPair[k] = o.weight[k] * (o.dPair[k] - along) * o.pairSlope[k]
			mean := float32(0)
			for _, e := range entries {
				o.dSays[e] = o.dPair[k] * o.share[e]
				o.dScore[e] = o.weight[k]*o.reads[e] + o.dPair[k]*o.says[e] // of the share
				mean += o.share[e] * o.dScore[e]
			}
			for _, e := range entries {
				o.dScore[e] = o.share[e] * (o.dScore[e] - mean) * o.slope[e]
			}
		}
	}
}

// attendSources is the gradient of x: for each row, a sum over the entries that read it, and over the pairs by which it reads.
type attendSources attending

func (f *attendSources) Part(i int, _ *par.Worker) {
	o := (*attending)(f)
	from, to := bounds(i, o.x.Rows)
	w, gx, scale := o.x.Cols, o.x.Grad(), o.scale()
	for s := from; s < to; s++ {
		g := gx[s*w : (s+1)*w]
		for _, e := range o.edges.readers.entry[o.edges.readers.start[s]:o.edges.readers.start[s+1]] {
			k, relation := o.pairs.pair[e], int(o.edges.relation[e])
			vec.Axpy(o.weight[k]*o.share[e], o.dy(k), g)
			vec.Axpy(scale*o.dScore[e], o.by.Neighbour.Row(relation), g)
			vec.Axpy(scale*o.dSays[e], o.by.Relation.Row(relation), g)
		}
		if s >= o.edges.Rows() {
			continue
		}
		for k := o.pairs.Rows.csr.Start[s]; k < o.pairs.Rows.csr.Start[s+1]; k++ {
			vec.Axpy(scale*o.dPair[k], o.by.Reader.Row(int(o.pairs.Rows.relation[k])), g)
		}
	}
}

// attendVectors are the gradients of the vectors of one relation.
type attendVectors attending

func (f *attendVectors) Part(i int, _ *par.Worker) {
	o := (*attending)(f)
	from, scale := int32(0), o.scale()
	if i > 0 {
		from = o.pairs.ends[i-1]
	}
	row := func(m Matrix) []float32 {
		r, w := int(o.pairs.relations[i]), m.Cols
		return m.Grad()[r*w : (r+1)*w]
	}
	neighbour, relation, reader := row(o.by.Neighbour), row(o.by.Relation), row(o.by.Reader)
	for _, k := range o.pairs.byRelation[from:o.pairs.ends[i]] {
		entries, _ := o.of(k)
		for _, e := range entries {
			vec.Axpy(scale*o.dScore[e], o.source(e), neighbour)
			vec.Axpy(scale*o.dSays[e], o.source(e), relation)
		}
		vec.Axpy(scale*o.dPair[k], o.x.Row(int(o.pairs.row[k])), reader)
	}
}
