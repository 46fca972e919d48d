package bound

import (
	"math"
	"slices"

	"kilim/annindex/codes"
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
	// peaks are the greatest bounds of each stride of slots.
	peaks []peak
	// query is the query's vector, factors what columns are multiplied with for bounds, and fineRest, in place of one of them, for closer ones.
	query     codes.Query
	factors   factors
	fineRest  float32
	likeliest [2]likeliest
	// products and some are memory for block and for refine.
	products [blockSize]float32
	some     []uint32
	greatest []float32 // memory for takeLikeliest
	// named tells which slots were returned, which are in order; nodes are those of the last call.
	named []bool
	order []uint32
	nodes []uint64
}

// Work is the columns that were multiplied, the postings that were read, the bounds that were made closer, and the nodes that were returned.
type Work struct{ Columns, Postings, Refined, Named int }

const (
	// leastSlack is more than rounding takes from a bound, for weights that sum to 1 or less.
	leastSlack = 1e-5
	// likely is how many times as many as its own lists have are scored first, of those that have the greatest bounds.
	likely = 2
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

// block bounds the scores with the artifacts of a block, and names those whose lists the query may enter.
func (s *Scan) block(i int) {
	b, from := &s.t.blocks[i], i*blockSize
	f := s.factors
	if b.vectors != nil {
		f.products = b.vectors.Coarse(&s.query, s.products[:])
	} else {
		clear(s.products[:])
	}
	peaks := s.peaks[i*strides : (i+1)*strides]
	bounds(&f, b.numbers, s.products[:], s.words[from:], s.entities[from:], s.total[from:], s.general[from:], peaks)
	if !s.q.Offered {
		return
	}
	s.some = s.some[:0]
	toTotal, toGeneral := b.row(rowTotal), b.row(rowGeneral)
	for j := range peaks {
		if peaks[j].inTotal <= -s.slack && peaks[j].inGeneral <= -s.slack {
			continue
		}
		for at := j * stride; at < (j+1)*stride; at++ {
			if s.total[from+at]+toTotal[at] > -s.slack || s.general[from+at]+toGeneral[at] > -s.slack {
				s.some = append(s.some, uint32(at))
			}
		}
	}
	s.refine(i)
	for _, at := range s.some {
		slot := uint32(from) + at
		if s.general[slot]+toGeneral[at] > -s.slack || s.total[slot]+toTotal[at] > -s.slack && s.bound(slot)+toTotal[at] > -s.slack {
			s.name(slot)
		}
	}
}

// refine makes the bounds closer of some slots of a block.
func (s *Scan) refine(i int) {
	b, from := &s.t.blocks[i], i*blockSize
	n := len(s.some)
	s.Work.Refined += n
	if n == 0 || b.vectors == nil {
		return
	}
	s.some = slices.Grow(s.some, codes.Unit) // for Products, which takes that many at a time
	scale := b.vectors.Products(&s.query, s.some, s.products[:])
	rests, lengths := b.row(rowRest), b.row(rowLength)
	for j, at := range s.some {
		slot := from + int(at)
		general := scale*s.products[j] + s.factors.rest*rests[at] + s.fineRest*lengths[at]
		s.total[slot] += s.factors.cosine * (general - s.general[slot])
		s.general[slot] = general
	}
}

// finish names the likeliest.
func (s *Scan) finish() {
	s.Work.Columns += len(s.t.nodes)
	s.takeLikeliest(&s.likeliest[0], s.total, func(p *peak) float32 { return p.total })
	s.takeLikeliest(&s.likeliest[1], s.general, func(p *peak) float32 { return p.general })
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
	for i := range s.t.blocks {
		s.some = s.some[:0]
		for j, p := range s.peaks[i*strides : (i+1)*strides] {
			if p.total <= total && p.general <= general {
				continue
			}
			for at := j * stride; at < (j+1)*stride; at++ {
				slot := i*blockSize + at
				if (s.total[slot] > total || s.general[slot] > general) && !s.named[slot] {
					s.some = append(s.some, uint32(at))
				}
			}
		}
		s.refine(i)
		for _, at := range s.some {
			slot := uint32(i*blockSize) + at
			if s.general[slot] > general || s.total[slot] > total && s.bound(slot) > total {
				s.name(slot)
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
	s.order, s.nodes = s.order[:0], s.nodes[:0]
	s.t, s.q = t, q
	n := len(t.blocks) * blockSize
	s.peaks = slices.Grow(s.peaks[:0], n/stride)[:n/stride]
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
	s.slack = leastSlack * max(1, w.Cosine+w.Entities+w.Words+w.Date+w.Link)
	length := 0.0
	for _, x := range s.q.Vector {
		length += float64(x) * float64(x)
	}
	fine, rest := s.query.Set(s.q.Vector)
	s.fineRest = fine
	s.factors = factors{rest: float32(math.Sqrt(length)), length: rest, cosine: w.Cosine,
		words:    w.Words * s.lookUp(&s.t.terms, s.q.Evidence.Words, w.Words, s.words),
		entities: w.Entities * s.lookUp(&s.t.entities, s.q.Evidence.Entities, w.Entities, s.entities)}
	begin, end := s.q.Evidence.Dates()
	if s.dated = begin <= end; s.dated {
		s.factors.dated = w.Date
	}
}
