package rerank

import "math"

// Prepared is an artifact's evidence as a Comparison reads it: all its numbers in one run, which whoever keeps many cuts from
// larger pieces of memory, so that scoring hundreds of artifacts follows no pointers but one each. It may be copied; copies
// share the run. It is safe for concurrent use while nobody calls Weigh.
type Prepared struct {
	// ID is the artifact's id, Node its node in the graph.
	ID   string
	Node uint64
	// begin <= end, NaN when there is no date.
	begin, end float64
	// run holds first what the evidence says: the words' buckets, the entities' lower and upper halves, the links' lower
	// and upper halves, the words' counts in pairs. After these come the weights of words and entities, as bits. Weigh
	// writes nothing but weights, so that the rest may be read meanwhile.
	run                    []uint32
	words, entities, links int32
}

// Numbers is the length of the run that Lay fills with this evidence.
func (e *Evidence) Numbers() int {
	return 2*len(e.Words) + (len(e.Words)+1)/2 + 3*len(e.Entities) + 2*len(e.Links)
}

// Lay lays evidence out in run, which is Numbers long and belongs to the result from now on; it does not refer to e but for the id.
// Weigh must follow before it is scored.
func Lay(e *Evidence, run []uint32) Prepared {
	p := Prepared{ID: e.ID, Node: e.Node, begin: e.Begin, end: e.End, run: run[:e.Numbers():e.Numbers()],
		words: int32(len(e.Words)), entities: int32(len(e.Entities)), links: int32(len(e.Links))}
	if math.IsNaN(p.begin) {
		p.begin = p.end
	}
	if math.IsNaN(p.end) {
		p.end = p.begin
	}
	p.begin, p.end = min(p.begin, p.end), max(p.begin, p.end)
	buckets, counts := p.buckets(), p.counts()
	clear(counts)
	for i, w := range e.Words {
		buckets[i] = w.Bucket
		counts[i/2] |= uint32(w.Count) << (16 * (i & 1))
	}
	layNodes(e.Entities, p.entityNodes())
	layNodes(e.Links, p.linkNodes())
	return p
}

func layNodes(nodes []uint64, to halves) {
	for i, n := range nodes {
		to.low[i], to.high[i] = uint32(n), uint32(n>>32)
	}
}

// Prepare lays evidence out in a run of its own and weighs it.
func Prepare(e *Evidence, w Weights) *Prepared {
	p := Lay(e, make([]uint32, e.Numbers()))
	p.Weigh(w)
	return &p
}

// Numbers is the length of the run that p has, and that a copy needs.
func (p *Prepared) Numbers() int { return len(p.run) }

// Copy copies what the evidence says into run, as Lay would. It reads no weights: they may be written meanwhile.
func (p *Prepared) Copy(run []uint32) Prepared {
	out := *p
	out.run = run[:len(p.run):len(p.run)]
	copy(out.run, p.run[:p.said()])
	return out
}

// Evidence is what p was made from; its dates are as they are scored, the begin not after the end.
func (p *Prepared) Evidence() *Evidence {
	e := &Evidence{ID: p.ID, Node: p.Node, Begin: p.begin, End: p.end,
		Entities: p.entityNodes().nodes(), Links: p.linkNodes().nodes()}
	if p.words > 0 {
		e.Words = make([]Word, p.words)
	}
	for i, b := range p.buckets() {
		e.Words[i] = Word{Bucket: b, Count: p.count(i)}
	}
	return e
}

// Dates are the years from begin to end, NaN when there are none.
func (p *Prepared) Dates() (begin, end float64) { return p.begin, p.end }

// Words yields the buckets of the words with their weights, and Entities the nodes of the entities with theirs.
func (p *Prepared) Words(yield func(bucket uint64, weight float32) bool) {
	weights := p.wordWeights()
	for i, b := range p.buckets() {
		if !yield(uint64(b), math.Float32frombits(weights[i])) {
			return
		}
	}
}

// Entities are described with Words.
func (p *Prepared) Entities(yield func(node uint64, weight float32) bool) {
	weights, nodes := p.entityWeights(), p.entityNodes()
	for i, w := range weights {
		if !yield(nodes.at(i), math.Float32frombits(w)) {
			return
		}
	}
}

// Weigh multiplies the weights of one state of the archive in, and normalizes: words and entities become unit vectors, in which
// an entity has its idf, a word (1 + ln count) * idf (Manning, Raghavan, Schuetze 2008, sections 6.2 and 6.4.1: sublinear tf
// scaling). Artifacts that are scored with each other should be weighed with the same weights, or nearly: each is a unit
// vector under its own.
func (p *Prepared) Weigh(w Weights) {
	entities := p.entityWeights()
	nodes := p.entityNodes()
	for i := range entities {
		entities[i] = math.Float32bits(w.EntityIDF(nodes.at(i)))
	}
	words := p.wordWeights()
	for i, b := range p.buckets() {
		words[i] = math.Float32bits(Sublinear(p.count(i)) * w.WordIDF(b))
	}
	normalize(entities)
	normalize(words)
}

// said is where the weights begin.
func (p *Prepared) said() int {
	return int(p.words + (p.words+1)/2 + 2*p.entities + 2*p.links)
}

func (p *Prepared) buckets() []uint32 { return p.run[:p.words] }

func (p *Prepared) entityNodes() halves { return p.halves(p.words, p.entities) }

func (p *Prepared) linkNodes() halves { return p.halves(p.words+2*p.entities, p.links) }

func (p *Prepared) halves(at, n int32) halves {
	return halves{low: p.run[at : at+n], high: p.run[at+n : at+2*n]}
}

func (p *Prepared) counts() []uint32 {
	at := p.words + 2*p.entities + 2*p.links
	return p.run[at : at+(p.words+1)/2]
}

func (p *Prepared) count(word int) uint16 {
	return uint16(p.run[int(p.words+2*p.entities+2*p.links)+word/2] >> (16 * (word & 1)))
}

func (p *Prepared) wordWeights() []uint32 {
	at := p.said()
	return p.run[at : at+int(p.words)]
}

func (p *Prepared) entityWeights() []uint32 { return p.run[p.said()+int(p.words):] }

// halves are nodes, strictly increasing, in lower and upper halves.
type halves struct{ low, high []uint32 }

func (h halves) at(i int) uint64 { return uint64(h.high[i])<<32 | uint64(h.low[i]) }

func (h halves) nodes() []uint64 {
	if len(h.low) == 0 {
		return nil
	}
	out := make([]uint64, len(h.low))
	for i := range out {
		out[i] = h.at(i)
	}
	return out
}

func (h halves) contain(n uint64) bool {
	i, j := 0, len(h.low)
	for i < j {
		if mid := int(uint(i+j) >> 1); h.at(mid) < n {
			i = mid + 1
		} else {
			j = mid
		}
	}
	return i < len(h.low) && h.at(i) == n
}

// sublinears are the results of Sublinear for the counts that nearly all words have.
var sublinears = func() (out [64]float32) {
	for n := range out {
		out[n] = logarithmic(uint16(n))
	}
	return out
}()

// Sublinear is what a word weighs that an artifact has so many times, before its idf: 1 + ln count, and 0 for a count of 0, which
// no encoder makes.
func Sublinear(count uint16) float32 {
	if int(count) < len(sublinears) {
		return sublinears[count]
	}
	return logarithmic(count)
}

func logarithmic(count uint16) float32 {
	switch count {
	case 0:
		return 0
	case 1:
		return 1
	}
	return float32(1 + math.Log(float64(count)))
}

// normalize scales the numbers of these bits to unit length; all zeros stay.
func normalize(v []uint32) {
	var sum float64
	for _, x := range v {
		x := float64(math.Float32frombits(x))
		sum += x * x
	}
	if sum == 0 {
		return
	}
	f := 1 / math.Sqrt(sum)
	for i, x := range v {
		v[i] = math.Float32bits(float32(float64(math.Float32frombits(x)) * f))
	}
}
