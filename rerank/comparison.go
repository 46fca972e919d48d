package rerank

import (
	"math"
	"math/bits"
)

// Comparison compares one artifact with many. Begin spreads the one's weights over tables; each Score then reads the other's
// numbers once, from front to back, and looks them up. To merge two sorted lists instead costs a misprediction or a
// dependent step for each number of either: three times as much for the lists that artifacts have.
//
// A Comparison may be used again and again, by one goroutine at a time; the zero value is ready for Begin. Score allocates nothing.
type Comparison struct {
	scorer   *Scorer
	one      Prepared
	words    spread
	entities spread
	touched  uint32
}

// Begin takes up the artifact that others are compared with. It must not be weighed anew meanwhile.
func (c *Comparison) Begin(s *Scorer, one *Prepared) {
	c.scorer, c.one = s, *one
	c.words.fill(one.buckets(), nil, one.wordWeights())
	nodes := one.entityNodes()
	c.entities.fill(nodes.low, nodes.high, one.entityWeights())
}

// Score returns the weighted sum of the parts, and these:
//
//   - Cosine, as given, cut to [-1, 1] (a NaN is 0)
//   - Entities: sum of idf^2 over the shared entities / sqrt(sum over the one's * sum over the other's)
//   - Words: the cosine of the tf-idf vectors
//   - Date: exp(-gap/scale) / (1 + (width + other width)/(2 scale)), with the gap in years
//     between the intervals, 0 when they overlap; 0 when one has no date, or none that is finite. A missing begin
//     or end is taken to be the other one.
//   - Link: 1 when one links to the other, else 0
//
// Parts that are missing on one side are 0, so that they neither help nor hide. All
// operations are commutative in the two artifacts and summed in the order of nodes and buckets:
// the result is the same bit for bit with the two exchanged.
func (c *Comparison) Score(other *Prepared, cosine float32) (float32, Parts) {
	nodes := other.entityNodes()
	p := Parts{
		Cosine:   clamp(cosine, -1),
		Entities: clamp(c.entities.dot(nodes.low, nodes.high, other.entityWeights()), 0),
		Words:    clamp(c.words.dot(other.buckets(), nil, other.wordWeights()), 0),
		Date:     c.scorer.Date(c.one.begin, c.one.end, other.begin, other.end),
	}
	if c.one.linkNodes().contain(other.Node) || other.linkNodes().contain(c.one.Node) {
		p.Link = 1
	}
	w := &c.scorer.w
	// One addend a statement: a fixed order, whatever the compiler may reassociate or fuse.
	total := w.Cosine * p.Cosine
	total += w.Entities * p.Entities
	total += w.Words * p.Words
	total += w.Date * p.Date
	total += w.Link * p.Link
	return total, p
}

// Touch reads a little of all that Score will read of another artifact, so that the processor fetches it. What is touched of
// several artifacts is fetched at the same time; what Score meets first is waited for, artifact by artifact, for more than a third of
// its time when there are 4,000 artifacts, some 4 MB, to choose from.
func (c *Comparison) Touch(other *Prepared) {
	const line = 64 / 4
	for i := 0; i < len(other.run); i += line {
		c.touched ^= other.run[i]
	}
}

// spread is a sparse vector in which the weight of a key is found at once. Most of the keys asked for are not there, and the
// filter says so without a branch: it has a 1 for the lowest bits of each key that is. Both filters and the slots of some
// hundred keys stay in the processor's first cache, which a table of all keys would not; clearing 8 KiB once costs less than to
// tell old entries from new ones at each look.
type spread struct {
	filter [1 << filterBits]uint8
	// slots are a power of two, at most a quarter used; one with weight 0 is free. shift leaves as many bits of a hash.
	slots []slot
	shift int
}

type slot struct {
	key    uint64
	weight float32
}

const (
	filterBits = 13
	leastSlots = 64
	// golden spreads keys that have their differences in the lower bits over the upper ones (Knuth, section 6.4).
	golden = 0x9E3779B97F4A7C15
)

// fill replaces the vector by one of different keys. Their upper halves are 0 where high is nil.
func (s *spread) fill(low, high, weights []uint32) {
	clear(s.filter[:])
	size := max(leastSlots, 1<<bits.Len(uint(4*len(low))))
	if cap(s.slots) < size {
		s.slots = make([]slot, size)
	}
	s.slots, s.shift = s.slots[:size], 64-bits.TrailingZeros(uint(size))
	clear(s.slots)
	for i, l := range low {
		w := math.Float32frombits(weights[i])
		if w == 0 {
			continue
		}
		s.filter[l&(1<<filterBits-1)] = 1
		key := keyOf(low, high, i)
		at := int(key * golden >> s.shift)
		for s.slots[at].weight != 0 {
			at = (at + 1) & (size - 1)
		}
		s.slots[at] = slot{key, w}
	}
}

func keyOf(low, high []uint32, i int) uint64 {
	if high == nil {
		return uint64(low[i])
	}
	return uint64(high[i])<<32 | uint64(low[i])
}

// dot sums the products of weights of shared keys, in the order of the given ones.
func (s *spread) dot(low, high, weights []uint32) float32 {
	const chunk = 128
	var hits [chunk]uint16
	var sum float32
	for from := 0; from < len(low); from += chunk {
		found := 0
		for i, l := range low[from:min(from+chunk, len(low))] {
			hits[found&(chunk-1)] = uint16(i)
			found += int(s.filter[l&(1<<filterBits-1)])
		}
		for _, hit := range hits[:found] {
			i := from + int(hit)
			// The conversion keeps product and sum from being fused where processors could.
			sum += float32(s.weight(keyOf(low, high, i)) * math.Float32frombits(weights[i]))
		}
	}
	return sum
}

// weight is 0 for a key that is not there.
func (s *spread) weight(key uint64) float32 {
	at := int(key * golden >> s.shift)
	for {
		slot := &s.slots[at&(len(s.slots)-1)]
		if slot.key == key || slot.weight == 0 {
			return slot.weight
		}
		at++
	}
}
