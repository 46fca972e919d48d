package demo

import "math/bits"

// rng is SplitMix64 (Steele, Lea & Flood, Fast Splittable Pseudorandom Number
// Generators, OOPSLA 2014, fig. 17): its own few lines, so that no release of Go
// can change an archive.
type rng struct{ state uint64 }

// purpose keeps the draws for different ends apart, so that a change to one of
// them leaves the others as they were.
type purpose uint64

const (
	forTruth purpose = iota + 1
	forCodex
	forCopy
	forRelated
	forFields
	forWords
	forPicture
	forMelody
	forClock
	forNames
)

// stream is the source of draws for one purpose of one ordinal.
func stream(seed uint64, ordinal int, p purpose) *rng {
	r := &rng{seed}
	for _, v := range [...]uint64{uint64(p), uint64(ordinal)} {
		r.state = r.next() ^ v*0xd6e8feb86659fd93
	}
	return r
}

func (r *rng) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// n draws from 0..k-1.
func (r *rng) n(k int) int {
	hi, _ := bits.Mul64(r.next(), uint64(k))
	return int(hi)
}

// in draws from lo..hi, both included.
func (r *rng) in(lo, hi int) int { return lo + r.n(hi-lo+1) }

// chance is true in so many of 1000 draws.
func (r *rng) chance(perMille int) bool { return r.n(1000) < perMille }

// weighted draws an index in proportion to its weight.
func (r *rng) weighted(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := r.n(sum)
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	panic("demo: weights that sum to nothing")
}

// pick draws an element.
func pick[T any](r *rng, list []T) T { return list[r.n(len(list))] }
