package tape

import (
	"cmp"
	"fmt"
	"slices"
	"sync/atomic"

	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
)

// CSR is a sparse matrix in compressed rows: row i of a result reads the entries Start[i] .. Start[i+1]-1.
type CSR struct {
	Start  []int32
	Source []int32
	Weight []float32
}

// Rows is the number of rows of the result.
func (c CSR) Rows() int { return len(c.Start) - 1 }

// transposed lists, for each of n sources, the rows that read it and the entries by which they do.
type transposed struct{ start, row, entry []int32 }

func (c CSR) transpose(n int) transposed {
	t := transposed{make([]int32, n+1), make([]int32, len(c.Source)), make([]int32, len(c.Source))}
	for _, s := range c.Source {
		t.start[s+1]++
	}
	for i := range n {
		t.start[i+1] += t.start[i]
	}
	at := append([]int32(nil), t.start...)
	for r := range c.Rows() {
		for e := c.Start[r]; e < c.Start[r+1]; e++ {
			k := at[c.Source[e]]
			at[c.Source[e]]++
			t.row[k], t.entry[k] = int32(r), e
		}
	}
	return t
}

// Edges are a CSR with a relation for each entry, prepared for Mix. They are immutable and may be used by many tapes at
// the same time.
type Edges struct {
	csr          CSR
	relation     []int32
	sources      int
	readers      transposed
	lastGrouping atomic.Pointer[grouping]
	pairs        atomic.Pointer[Pairs]
}

// grouping is the last result of Group, with its argument.
type grouping struct {
	limit  int
	groups *Groups
}

// NewEdges prepares a CSR whose entries read from sources rows by relations below limit. It refuses entries that don't.
func NewEdges(c CSR, relation []int32, sources, limit int) (*Edges, error) {
	if len(c.Start) == 0 || int(c.Start[len(c.Start)-1]) != len(c.Source) || len(c.Weight) != len(c.Source) || len(relation) != len(c.Source) {
		return nil, fmt.Errorf("tape: edges: %d starts, %d sources, %d weights, %d relations don't fit together", len(c.Start), len(c.Source), len(c.Weight), len(relation))
	}
	for i := range c.Rows() {
		if c.Start[i] > c.Start[i+1] || c.Start[0] != 0 {
			return nil, fmt.Errorf("tape: edges: start of row %d is above that of the next", i)
		}
	}
	for e, s := range c.Source {
		if s < 0 || int(s) >= sources {
			return nil, fmt.Errorf("tape: edges: source %d of entry %d: there are %d rows", s, e, sources)
		}
		if r := relation[e]; r < 0 || int(r) >= limit {
			return nil, fmt.Errorf("tape: edges: relation %d of entry %d: there are %d", r, e, limit)
		}
	}
	return &Edges{csr: c, relation: relation, sources: sources, readers: c.transpose(sources)}, nil
}

// Rows is the number of rows of the result.
func (e *Edges) Rows() int { return e.csr.Rows() }

// Sources is the number of rows that the entries read from.
func (e *Edges) Sources() int { return e.sources }

// Groups are Edges split for Mix and Product: rows with few relations have those applied one by one.
type Groups struct {
	// Many has the rows with limit or more relations, in their order.
	Many *Edges
	// Few has a row for each relation of each other row, ordered by relation; its entries' relations are 0.
	Few *Edges
	// Relations are those of Few's rows, in order; Ends[i] is the end of the rows of Relations[i].
	Relations []int32
	Ends      []int
	// Scatter adds the rows of Many, and after them those of Few, to the rows that they came from.
	Scatter *Edges
}

// Group splits the edges by limit; it returns nil when all rows have limit or more relations. Group keeps its last
// result because the modalities of a view often share their edges.
func (e *Edges) Group(limit int) *Groups {
	if kept := e.lastGrouping.Load(); kept != nil && kept.limit == limit {
		return kept.groups
	}
	g := e.group(limit)
	e.lastGrouping.Store(&grouping{limit, g})
	return g
}

func (e *Edges) group(limit int) *Groups {
	type key struct{ relation, row int32 }
	var many edgeList
	var manyRows []int32
	var few []key
	var own []key
	for r := range int32(e.Rows()) {
		own = own[:0]
		for k := e.csr.Start[r]; k < e.csr.Start[r+1]; k++ {
			g := key{e.relation[k], r}
			if !slices.Contains(own, g) {
				own = append(own, g)
			}
		}
		if len(own) >= limit {
			for k := e.csr.Start[r]; k < e.csr.Start[r+1]; k++ {
				many.add(e.csr.Source[k], e.csr.Weight[k], e.relation[k])
			}
			many.end()
			manyRows = append(manyRows, r)
			continue
		}
		few = append(few, own...)
	}
	if len(few) == 0 {
		return nil
	}
	slices.SortFunc(few, func(a, b key) int { return cmp.Or(cmp.Compare(a.relation, b.relation), cmp.Compare(a.row, b.row)) })
	g := &Groups{}
	var list edgeList
	at := make([][]int32, e.Rows())
	for i, r := range manyRows {
		at[r] = []int32{int32(i)}
	}
	for i, f := range few {
		for k := e.csr.Start[f.row]; k < e.csr.Start[f.row+1]; k++ {
			if e.relation[k] == f.relation {
				list.add(e.csr.Source[k], e.csr.Weight[k], 0)
			}
		}
		list.end()
		at[f.row] = append(at[f.row], int32(len(manyRows)+i))
		if i == 0 || few[i-1].relation != f.relation {
			g.Relations, g.Ends = append(g.Relations, f.relation), append(g.Ends, 0)
		}
		g.Ends[len(g.Ends)-1] = i + 1
	}
	var scatter edgeList
	for _, from := range at {
		for _, i := range from {
			scatter.add(i, 1, 0)
		}
		scatter.end()
	}
	g.Many, g.Few, g.Scatter = many.edges(e.sources), list.edges(e.sources), scatter.edges(len(manyRows)+len(few))
	return g
}

// edgeList builds Edges whose entries need no check.
type edgeList struct {
	csr      CSR
	relation []int32
}

func (l *edgeList) add(source int32, weight float32, relation int32) {
	l.csr.Source, l.csr.Weight, l.relation = append(l.csr.Source, source), append(l.csr.Weight, weight), append(l.relation, relation)
}

func (l *edgeList) end() { l.csr.Start = append(l.csr.Start, int32(len(l.csr.Source))) }

func (l *edgeList) edges(sources int) *Edges {
	c := l.csr
	c.Start = append([]int32{0}, c.Start...)
	return &Edges{csr: c, relation: l.relation, sources: sources, readers: c.transpose(sources)}
}

type mix struct {
	y, x, c Matrix
	edges   *Edges
	bases   int
	weight  []float32 // [base][entry]
	sums    []float32 // gradients of c, from each part
	parts   int       // how many parts sums has
}

// Mix is the mean aggregation of relations that share a basis (Schlichtkrull et al. 2018, equation 3, with the sums
// exchanged): y is rows x bases*width and
//
//	y[i, b] = sum over the entries e of row i of Weight[e] * c[relation e, b] * x[Source e]
//
// so that y times the stacked bases is the sum over the relations of W_r mean_r.
func (t *Tape) Mix(y, x, c Matrix, edges *Edges) {
	bases := c.Cols
	mustFit("x", x.Rows, edges.sources)
	mustFit("y", y.Rows, edges.Rows())
	mustFit("y", y.Cols, bases*x.Cols)
	o := t.slabs.mixes.next()
	n := len(edges.csr.Source)
	*o = mix{y: y, x: x, c: c, edges: edges, bases: bases, weight: t.Scratch(bases * n)}
	for e, r := range edges.relation {
		w := edges.csr.Weight[e]
		for b, k := range c.Row(int(r)) {
			o.weight[b*n+e] = w * k
		}
	}
	t.worker.Run((*mixForward)(o), parts(y.Rows))
	t.record(o, y)
}

type mixForward mix

func (o *mixForward) Part(i int, _ *par.Worker) {
	from, to := bounds(i, o.y.Rows)
	w, n := o.x.Cols, int32(len(o.edges.csr.Source))
	for r := from; r < to; r++ {
		y := o.y.Row(r)
		a, b := o.edges.csr.Start[r], o.edges.csr.Start[r+1]
		for k := range int32(o.bases) {
			vec.Gather(o.edges.csr.Source[a:b], o.weight[k*n+a:k*n+b], o.x.Data, w, y[int(k)*w:int(k+1)*w], false)
		}
	}
}

func (o *mix) backward(t *Tape) {
	o.y.ensureZeroed()
	if o.x.grad != nil {
		o.x.ensureZeroed()
		t.worker.Run((*mixSources)(o), parts(o.x.Rows))
	}
	if o.c.grad == nil {
		return
	}
	o.parts = parts(o.y.Rows)
	o.sums = t.Scratch(o.parts * len(o.c.Data))
	t.worker.Run((*mixRelations)(o), o.parts)
	addParts(o.c.Grad(), o.sums)
}

// mixSources is the gradient of x: for each source, a sum over the rows that read it.
type mixSources mix

func (o *mixSources) Part(i int, _ *par.Worker) {
	from, to := bounds(i, o.x.Rows)
	w, n := o.x.Cols, len(o.edges.csr.Source)
	gy, gx := o.y.Grad(), o.x.Grad()
	for s := from; s < to; s++ {
		g := gx[s*w : (s+1)*w]
		for k := o.edges.readers.start[s]; k < o.edges.readers.start[s+1]; k++ {
			row := gy[int(o.edges.readers.row[k])*o.bases*w:]
			for b := range o.bases {
				vec.Axpy(o.weight[b*n+int(o.edges.readers.entry[k])], row[b*w:(b+1)*w], g)
			}
		}
	}
}

// mixRelations is the gradient of the coefficients c.
type mixRelations mix

func (o *mixRelations) Part(i int, _ *par.Worker) {
	from, to := bounds(i, o.y.Rows)
	w := o.x.Cols
	sums := o.sums[i*len(o.c.Data) : (i+1)*len(o.c.Data)]
	clear(sums)
	gy := o.y.Grad()
	for r := from; r < to; r++ {
		row := gy[r*o.bases*w : (r+1)*o.bases*w]
		for e := o.edges.csr.Start[r]; e < o.edges.csr.Start[r+1]; e++ {
			x := o.x.Row(int(o.edges.csr.Source[e]))
			at := int(o.edges.relation[e]) * o.bases
			for b := range o.bases {
				sums[at+b] += o.edges.csr.Weight[e] * vec.Dot(row[b*w:(b+1)*w], x)
			}
		}
	}
}
