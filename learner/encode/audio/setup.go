package audio

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"kilim/learner/encode/feature"
)

// Bounds on the codebooks of a Vorbis stream. Those of the reference encoder stay
// under a fourth of each.
const (
	maxBookEntries = 1 << 14
	maxEntries     = 1 << 17 // of all books
	maxBookValues  = 1 << 20 // entries times dimensions, of all books
)

// checkSetup walks through a Vorbis setup header as far as its residues (Vorbis I
// specification, section 4.2.4) and refuses what the decoder does not survive.
func checkSetup(r *bitReader) error {
	entries, values := 0, 0
	for range r.read(8) + 1 {
		e, v, err := checkCodebook(r)
		if err != nil {
			return err
		}
		if entries, values = entries+e, values+v; entries > maxEntries || values > maxBookValues {
			return feature.Refuse(feature.ReasonUnsupported, "Ogg Vorbis: codebooks of %d entries and %d numbers", entries, values)
		}
	}
	for range r.read(6) + 1 {
		r.read(16) // a placeholder, always 0
	}
	for range r.read(6) + 1 {
		if kind := r.read(16); kind == 0 {
			return feature.Refuse(feature.ReasonUnsupported, "Ogg Vorbis: floor 0")
		} else if kind != 1 {
			return fmt.Errorf("floor of kind %d", kind)
		}
		skipFloor1(r)
	}
	for range r.read(6) + 1 {
		if err := checkResidue(r); err != nil {
			return err
		}
	}
	return nil
}

// checkCodebook (section 3.2.1) wants a complete prefix code: in another the decoder
// may walk in a circle.
func checkCodebook(r *bitReader) (entries, values int, err error) {
	if r.read(24) != 0x564342 {
		return 0, 0, errors.New("no codebook where one must begin")
	}
	dims, n := r.read(16), r.read(24)
	if dims < 1 || n < 2 || n > maxBookEntries {
		return 0, 0, feature.Refuse(feature.ReasonUnsupported, "Ogg Vorbis: a codebook of %d entries in %d dimensions", n, dims)
	}
	var full uint64 // in units of 2^-32; a complete code has 2^32
	if ordered := r.read(1) == 1; !ordered {
		sparse := r.read(1) == 1
		for range n {
			if !sparse || r.read(1) == 1 {
				full += 1 << (32 - (r.read(5) + 1))
			}
		}
	} else {
		length := r.read(5) + 1
		for at := 0; at < n; length++ {
			count := r.read(bits.Len(uint(n - at)))
			if length > 32 || count > n-at {
				return 0, 0, errors.New("a codebook with more code words than entries")
			}
			full += uint64(count) << (32 - length)
			at += count
		}
	}
	if r.short {
		return 0, 0, truncated("a codebook")
	}
	if full != 1<<32 {
		return 0, 0, feature.Refuse(feature.ReasonUnsupported, "Ogg Vorbis: a codebook whose code is not complete")
	}
	lookup := r.read(4)
	if lookup == 0 {
		return n, 0, nil
	}
	if n*dims > maxBookValues {
		return 0, 0, feature.Refuse(feature.ReasonUnsupported, "Ogg Vorbis: a codebook of %d entries in %d dimensions", n, dims)
	}
	r.read(32)
	r.read(32)
	width := r.read(4) + 1
	r.read(1)
	count := n * dims
	if lookup == 1 {
		count = int(math.Floor(math.Pow(float64(n), 1/float64(dims))))
	}
	r.skip(count * width)
	return n, n * dims, nil
}

// skipFloor1 (section 7.2.2).
func skipFloor1(r *bitReader) {
	classes := make([]int, r.read(5))
	last := 0
	for i := range classes {
		classes[i] = r.read(4)
		last = max(last, classes[i])
	}
	var dims [16]int
	for c := range last + 1 {
		dims[c] = r.read(3) + 1
		subclasses := r.read(2)
		if subclasses != 0 {
			r.read(8)
		}
		r.skip(8 << subclasses)
	}
	r.read(2)
	width := r.read(4)
	for _, c := range classes {
		r.skip(dims[c] * width)
	}
}

// checkResidue (section 8.6.1): the decoder takes the part between begin and end
// for a length, also when they are the wrong way round.
func checkResidue(r *bitReader) error {
	r.read(16)
	begin, end := r.read(24), r.read(24)
	if begin > end {
		return fmt.Errorf("a residue from %d to %d", begin, end)
	}
	r.read(24)
	cascades := make([]int, r.read(6)+1)
	r.read(8)
	for i := range cascades {
		cascades[i] = r.read(3)
		if r.read(1) == 1 {
			cascades[i] |= r.read(5) << 3
		}
	}
	for _, c := range cascades {
		r.skip(8 * bits.OnesCount(uint(c)))
	}
	return nil
}

// bitReader reads bits as Vorbis packs them (section 2): from the lowest on. Beyond
// the end it reads zeros and remembers that in short.
type bitReader struct {
	b     []byte
	at    int // in bits
	short bool
}

func (r *bitReader) read(n int) int {
	v := 0
	for i := range n {
		if r.at >= 8*len(r.b) {
			r.short = true
			return v
		}
		v |= int(r.b[r.at/8]>>(r.at%8)&1) << i
		r.at++
	}
	return v
}

func (r *bitReader) skip(n int) {
	r.at += n
	r.short = r.short || r.at > 8*len(r.b)
}
