package text

import (
	"fmt"
	"math"
	"strings"

	"kilim/learner/tensor/sparse"
)

// Project writes the feature vector of d to out, of length Dim (another length
// is a programming error and panics). idf gives a bucket's weight; it is called
// once a term, in the order of buckets. The result has length 1, or is all
// zeros when d has no term (or, which only contrived texts achieve, when its
// terms cancel out).
func (e *Encoder) Project(d *Doc, idf func(bucket uint32) float32, out []float32) {
	e.project(d, idf, out)
}

// ProjectPlain is Project with all idf 1: a vector that never drifts.
func (e *Encoder) ProjectPlain(d *Doc, out []float32) { e.project(d, plain, out) }

func plain(uint32) float32 { return 1 }

// Label returns the features of an entity's label. They are plain: a label's features never drift.
func (e *Encoder) Label(label string) sparse.Vector {
	out := e.scratch.Get().(*[]float32)
	defer e.scratch.Put(out)
	e.ProjectPlain(e.Analyze(strings.TrimSpace(label)), (*out)[:e.cfg.Dim])
	return sparse.NonZeros((*out)[:e.cfg.Dim])
}

func (e *Encoder) project(d *Doc, idf func(uint32) float32, out []float32) {
	if len(out) != e.cfg.Dim {
		panic(fmt.Sprintf("text: project to %d numbers, the encoder has %d", len(out), e.cfg.Dim))
	}
	scratch := e.scratch.Get().(*[]float32)
	defer e.scratch.Put(scratch)
	clear(out)
	clear(*scratch)
	sounds, grams := (*scratch)[:len(out)], (*scratch)[len(out):]
	fw := toLength(math.Sqrt(wordShare), e.scatter(d.Words, idf, out))
	fs := toLength(math.Sqrt(soundShare), e.scatter(d.Sounds, idf, sounds))
	fg := toLength(math.Sqrt(gramShare), e.scatter(d.Grams, idf, grams))
	var sum float64
	for i := range out {
		// The conversions forbid a fused multiply-add, so that all processors
		// give the same bits.
		x := float32(fw*out[i]) + float32(fs*sounds[i]) + float32(fg*grams[i])
		out[i] = x
		sum += float64(float64(x) * float64(x))
	}
	f := toLength(1, sum)
	for i := range out {
		out[i] *= f
	}
}

// toLength is the factor that brings a vector of this squared length to length,
// and 0 for the zero vector.
func toLength(length, squared float64) float32 {
	if squared == 0 {
		return 0
	}
	return float32(length / math.Sqrt(squared))
}

// scatter adds the projection of terms to out and returns their squared length before that.
// Of the 64 random bits of a bucket's column, each of its nonZeros blocks takes
// 16: 15 choose the place and 1 the sign. The factor 1/sqrt(nonZeros) is left
// to the scaling.
func (e *Encoder) scatter(terms []Term, idf func(uint32) float32, out []float32) (squared float64) {
	block := e.block
	b0, b1, b2, b3 := out[:block], out[block:2*block], out[2*block:3*block], out[3*block:4*block]
	for _, t := range terms {
		w := e.sublinear(t.Count) * idf(t.Bucket)
		squared += float64(float64(w) * float64(w))
		h := mix(uint64(t.Bucket)*0x9e3779b97f4a7c15 ^ e.columns)
		b0[h&0x7fff*block>>15] += signed(w, h)
		b1[h>>16&0x7fff*block>>15] += signed(w, h>>16)
		b2[h>>32&0x7fff*block>>15] += signed(w, h>>32)
		b3[h>>48&0x7fff*block>>15] += signed(w, h>>48)
	}
	return squared
}

// signed is w with its sign flipped where bit 15 of h is set.
func signed(w float32, h uint64) float32 {
	return math.Float32frombits(math.Float32bits(w) ^ uint32(h)<<16&(1<<31))
}

// weights of term frequencies that are looked up.
const tfSize = 64

// sublinear is 1 + ln n.
func (e *Encoder) sublinear(n uint16) float32 {
	if n < tfSize {
		return e.tf[n]
	}
	return float32(1 + math.Log(float64(n)))
}
