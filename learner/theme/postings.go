package theme

import (
	"cmp"
	"math"
	"slices"
)

// postings are the larger parts of vectors of length at most 1, by dimension. Each is one number, a place and above the 255ths of the part, rounded up, so
// that what is gathered of them is never less than the inner product.
type postings [][]uint32

const (
	stepBits = 8
	steps    = 1<<stepBits - 1
)

// MostInTable is how many artifacts may be in a Table: as many places as there is room for beside a step.
const MostInTable = 1 << (32 - stepBits)

// split returns the parts of a vector but for the smallest, as many of them as have a length of at most rest together, and that length.
func (v vector) split(rest float64) (larger vector, left float32) {
	larger = slices.Clone(v)
	slices.SortFunc(larger, func(a, b coordinate) int {
		return cmp.Or(cmp.Compare(b.value, a.value), cmp.Compare(a.feature, b.feature))
	})
	squared := 0.0
	for n := len(larger); n > 0; n-- {
		more := float64(larger[n-1].value) * float64(larger[n-1].value)
		if squared+more > rest*rest {
			break
		}
		squared += more
		larger = larger[:n-1]
	}
	return larger, float32(math.Sqrt(squared))
}

// times is the vector, each part multiplied.
func (v vector) times(by float64) vector {
	out := make(vector, len(v))
	for i, c := range v {
		out[i] = coordinate{c.feature, float32(float64(c.value) * by)}
	}
	return out
}

func (p postings) add(place int32, v vector) {
	for _, c := range v {
		step := min(steps, max(0, math.Ceil(float64(c.value)*steps)))
		p[c.feature] = append(p[c.feature], uint32(place)<<stepBits|uint32(step))
	}
}

// remove takes away what add has put there for a place.
func (p postings) remove(place int32, v vector) {
	for _, c := range v {
		all := p[c.feature]
		at := slices.IndexFunc(all, func(x uint32) bool { return x>>stepBits == uint32(place) })
		all[at] = all[len(all)-1]
		p[c.feature] = all[:len(all)-1]
	}
}

// gather adds to each place's number the inner product of v with the larger parts of the place's vector, or a little more. The parts of v are not
// negative.
func (p postings) gather(v vector, into []float32) {
	for _, c := range v {
		each := c.value / steps
		for _, x := range p[c.feature] {
			into[x>>stepBits] += each * float32(x&steps)
		}
	}
}
