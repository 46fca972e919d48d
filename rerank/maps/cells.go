package maps

import (
	"cmp"
	"math"
	"slices"

	"kilim/annindex"
)

const (
	// sampled is how many artifacts of a group are looked at one by one.
	sampled = 64
	// nearest is how many pairs of a cell are told.
	nearest = 3
	// z is the normal quantile of an interval of 95 %.
	z = 1.959964
)

// Vectors gives the vectors of artifacts; false for one that is not there.
type Vectors interface {
	Vector(artifact uint64, into []float32) bool
}

// Cell is how near two groups are; of a group and itself, how near its artifacts are to one another.
type Cell struct {
	A, B uint64
	// Mean is the mean cosine over all pairs, from Low to High with 95 % confidence if the artifacts are a sample of such groups.
	Mean, Low, High float64
	// Contrast is the cosine of what sets the two groups apart from the mean of all artifacts.
	Contrast float64
	Pairs    int
	// Nearest are pairs of artifacts, the nearest first, among the sampled ones.
	Nearest []Pair
}

// Pair is an artifact of A and one of B.
type Pair struct {
	A, B   uint64
	Cosine float64
}

// Cells compares each two of the groups, and each with itself. Groups that are not there, or have one artifact, are left out.
func (m *Map) Cells(groups []uint64, vectors Vectors) []Cell {
	return new(Comparer).Cells(m, groups, vectors)
}

// Comparer compares groups again and again. It keeps the nearest pairs of two groups, which take nearly all of the time, for as long as the sampled artifacts
// of both are the same and where they were. It is used by one goroutine.
type Comparer struct {
	samples map[uint64][]place
	nearest map[[2]uint64][]Pair
}

// Cells is what Map.Cells is of the same groups. It forgets all others.
func (c *Comparer) Cells(m *Map, groups []uint64, vectors Vectors) []Cell {
	sides, all := m.sides(groups)
	samples, found := map[uint64][]place{}, map[[2]uint64][]Pair{}
	same := make([]bool, len(sides))
	for i := range sides {
		s := &sides[i]
		s.read(vectors, m.dim)
		samples[s.id] = s.sample()
		same[i] = slices.Equal(samples[s.id], c.samples[s.id])
	}
	var cells []Cell
	for i := range sides {
		for j := i; j < len(sides); j++ {
			a, b := &sides[i], &sides[j]
			cell, key := compare(a, b, all), [2]uint64{a.id, b.id}
			known, ok := c.nearest[key]
			if !ok || !same[i] || !same[j] {
				known = pairs(a, b)
			}
			found[key], cell.Nearest = known, known
			cells = append(cells, cell)
		}
	}
	c.samples, c.nearest = samples, found
	return cells
}

// place is where a sampled artifact is: a checksum of its vector (FNV-1a, of 64 bits), which takes less memory.
type place struct{ artifact, sum uint64 }

func (s *side) sample() []place {
	out := make([]place, len(s.members))
	for i, v := range s.vectors {
		const offset, prime = 14695981039346656037, 1099511628211
		sum := uint64(offset)
		for _, x := range v {
			sum = (sum ^ uint64(math.Float32bits(x))) * prime
		}
		out[i] = place{s.members[i], sum}
	}
	return out
}

// side is a group as it is compared.
type side struct {
	id      uint64
	n       int
	mean    []float64
	members []uint64 // sampled, by id
	vectors [][]float32
}

// sides copies what is needed of the sums, so that the comparison holds up nobody. However many artifacts there are, it looks at those that are sampled.
func (m *Map) sides(groups []uint64) (sides []side, all []float64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, g := range groups {
		s := m.groups[g]
		if s == nil || s.n < 2 {
			continue
		}
		one := side{id: g, n: s.n, mean: s.mean()}
		if known := m.members[g]; known != nil {
			one.members = slices.Clone(known.smallest[:min(sampled, len(known.smallest))])
		}
		sides = append(sides, one)
	}
	return sides, m.all.mean()
}

func (s *side) read(vectors Vectors, dim int) {
	kept := s.members[:0]
	for _, id := range s.members {
		v := make([]float32, dim)
		if vectors.Vector(id, v) {
			kept = append(kept, id)
			s.vectors = append(s.vectors, v)
		}
	}
	s.members = kept
}

func compare(a, b *side, all []float64) Cell {
	c := Cell{A: a.id, B: b.id, Mean: dot(a.mean, b.mean), Pairs: a.n * b.n}
	if a.id == b.id {
		// Of all ordered pairs, n are of an artifact with itself, whose cosine is 1.
		n := float64(a.n)
		c.Mean, c.Pairs = (c.Mean*n-1)/(n-1), a.n*(a.n-1)/2
	}
	c.Mean = min(max(c.Mean, -1), 1) // the length of a vector is 1 but for rounding
	c.Contrast = contrast(a.mean, b.mean, all)
	// The mean over pairs is the mean over a of its mean with B, and the other way round: both samples add their error.
	e := z * math.Sqrt(a.error(b.mean)+b.error(a.mean))
	c.Low, c.High = max(c.Mean-e, -1), min(c.Mean+e, 1)
	return c
}

// error is the square of the standard error of the mean of the group's cosines with a vector.
func (s *side) error(with []float64) float64 {
	n := float64(len(s.vectors))
	if n < 2 {
		return 1
	}
	var total, squares float64
	for _, v := range s.vectors {
		x := 0.0
		for i, y := range v {
			x += float64(y) * with[i]
		}
		total += x
		squares += x * x
	}
	return max(squares-total*total/n, 0) / (n - 1) / float64(s.n)
}

func contrast(a, b, all []float64) float64 {
	var ab, aa, bb float64
	for i := range all {
		x, y := a[i]-all[i], b[i]-all[i]
		ab += x * y
		aa += x * x
		bb += y * y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

func dot(a, b []float64) (sum float64) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

func pairs(a, b *side) (best []Pair) {
	for i, v := range a.vectors {
		for j, w := range b.vectors {
			if a.members[i] == b.members[j] || a.id == b.id && j < i {
				continue
			}
			p := Pair{A: a.members[i], B: b.members[j], Cosine: float64(annindex.Dot(v, w))}
			if len(best) == nearest && p.Cosine <= best[nearest-1].Cosine {
				continue
			}
			at, _ := slices.BinarySearchFunc(best, p, func(x, y Pair) int { return cmp.Compare(y.Cosine, x.Cosine) })
			best = slices.Insert(best, at, p)
			best = best[:min(len(best), nearest)]
		}
	}
	return best
}
