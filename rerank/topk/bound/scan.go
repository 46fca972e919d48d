package bound

import (
	"math"
	"slices"

	"kilim/annindex/codes"
	"kilim/learner/tensor/vec"
	"kilim/rerank"
)

// Query is an artifact, in the Table or not, weighed by the Table's epoch.
type Query struct {
	Node     uint64
	Evidence *rerank.Prepared
	Vector   []float32
	// Best is how long its own lists are. Offered: those whose lists it may enter are asked for too.
	Best    int
	Offered bool
	// Keep leaves artifacts out; nil: none.
	Keep func(node uint64) bool
}

// Scan goes over a Table for one Query after another. The zero value is ready for Begin; it may not be copied.
type Scan struct {
	// Work counts what was done since the Scan was made.
	Work Work

	t     *Table
	q     Query
	dated bool
	slack float32
	// total and general are bounds, by slot. words and entities are what rare terms add to total, see lookUp.
	total, general, words, entities []float32
	// peaks are the greatest of total and general of each stride of slots.
	peaks [][2]float32
	// query is the query's vector; the numbers from rowRest and from rowWords on are multiplied with the rows of these.
	query codes.Query
	whole [rowDated + 1]float32
	// cosine is the scorer's weight.
	cosine    float32
	likeliest [2]likeliest
	sums      [blockSize]float32 // memory for block and reach
	// named tells which slots were returned, which are in order; nodes are those of the last call.
	named []bool
	order []uint32
	nodes []uint64
}

// Work is the columns that were multiplied, the postings that were read, and the nodes that were returned.
type Work struct{ Columns, Postings, Named int }

const (
	// leastSlack is more than rounding takes from a bound, for weights that sum to 1 or less.
	leastSlack = 1e-5
	// likely is how many times as many as its own lists have are scored first, of those that have the greatest bounds.
	likely = 2
	// stride is how many slots are passed over at once where no bound is large enough.
	stride = 64
)

// ofVectors and ofTerms are the rows that bounds of the two are made of.
var (
	ofVectors = []int32{rowRest, rowLength}
	ofTerms   = []int32{rowWords, rowEntities, rowDated}
)

// Begin scans for queries, each by a Scan of its own: a block is multiplied with all while it is in the processor's cache.
func Begin(t *Table, scans []*Scan, queries []Query) {
	for i, s := range scans {
		s.reset(t, queries[i])
		s.multiply()
	}
	for i := range t.blocks {
		for _, s := range scans {
			s.block(i)
		}
	}
	for _, s := range scans {
		s.finish()
	}
}

// block bounds the scores with the artifacts of a block.
func (s *Scan) block(i int) {
	b, from := &s.t.blocks[i], i*blockSize
	to := min(from+blockSize, len(s.t.nodes))
	total, general := s.total[from:to], s.general[from:to]
	vec.Gather(ofVectors, s.whole[:rowWords], b.numbers, blockSize, general, false)
	if b.vectors != nil {
		scale := b.vectors.Products(&s.query, s.sums[:])
		vec.Axpy(scale, s.sums[:len(general)], general)
	}
	vec.Gather(ofTerms, s.whole[rowWords:], b.numbers, blockSize, total, false)
	vec.Axpy(s.cosine, general, total)
	addScaled(total, s.words[from:to], b.row(rowWordScale))
	addScaled(total, s.entities[from:to], b.row(rowEntityScale))
	s.peak(from, total, general)
	if s.q.Offered {
		s.reach(from, total, b.row(rowTotal), s.nameInTotal)
		s.reach(from, general, b.row(rowGeneral), s.name)
	}
}

// finish names the likeliest.
func (s *Scan) finish() {
	s.Work.Columns += len(s.t.nodes)
	for i := range s.likeliest {
		for _, l := range s.likeliest[i].all {
			s.name(l.slot)
		}
	}
}

// Found are, until Rest, the artifacts whose lists the query may enter by what is not a link, and the likeliest of its own lists.
func (s *Scan) Found() []uint64 { return s.nodes }

// Rest returns those that were not found yet, and that may be in the query's own lists, whose last entries have these scores.
func (s *Scan) Rest(total, general float32) []uint64 {
	s.nodes = s.nodes[:0]
	total, general = total-s.slack, general-s.slack
	for i, peak := range s.peaks {
		from := i * stride
		to := min(from+stride, len(s.total))
		if peak[0] > total {
			for slot := from; slot < to; slot++ {
				if s.total[slot] > total && s.bound(uint32(slot)) > total {
					s.name(uint32(slot))
				}
			}
		}
		if peak[1] > general {
			for slot := from; slot < to; slot++ {
				if s.general[slot] > general {
					s.name(uint32(slot))
				}
			}
		}
	}
	return s.nodes
}

// reset forgets the query before.
func (s *Scan) reset(t *Table, q Query) {
	for _, slot := range s.order {
		s.named[slot] = false
	}
	s.order, s.nodes, s.peaks = s.order[:0], s.nodes[:0], s.peaks[:0]
	s.t, s.q = t, q
	n := len(t.nodes)
	for _, by := range []*[]float32{&s.total, &s.general, &s.words, &s.entities} {
		*by = slices.Grow((*by)[:0], n)[:n]
	}
	if n > len(s.named) {
		s.named = make([]bool, n)
	}
	for i := range s.likeliest {
		s.likeliest[i].begin(likely * q.Best)
	}
}

// multiply makes the numbers that the columns are multiplied with, and looks rare terms up.
func (s *Scan) multiply() {
	w := s.t.scorer.Weights()
	s.cosine, s.slack = w.Cosine, leastSlack*max(1, w.Cosine+w.Entities+w.Words+w.Date+w.Link)
	rest, length := s.query.Set(s.q.Vector), 0.0
	for _, x := range s.q.Vector {
		length += float64(x) * float64(x)
	}
	s.whole = [rowDated + 1]float32{rowRest: float32(math.Sqrt(length)), rowLength: rest,
		rowWords:    w.Words * s.lookUp(&s.t.terms, s.q.Evidence.Words, w.Words, s.words),
		rowEntities: w.Entities * s.lookUp(&s.t.entities, s.q.Evidence.Entities, w.Entities, s.entities)}
	begin, end := s.q.Evidence.Dates()
	if s.dated = begin <= end; s.dated {
		s.whole[rowDated] = w.Date
	}
}
