package dist

import (
	"math"
	"sync/atomic"
	"unsafe"
)

// best is the instruction set in use: the best that this processor can run.
var best = instructionSets()[0]

// A row of codes is padded with zeros to a multiple of RowUnit codes.
const RowUnit = 32

// Lanes is the number of rows that Scores multiplies at a time.
const Lanes = 4

// None ends a list of slots that is not full, see Unvisited.
const None = math.MaxUint32

// Padded returns the length of a row of codes, in bytes, for vectors of dim numbers.
func Padded(dim int) int { return (dim + RowUnit - 1) / RowUnit * RowUnit }

// Limit returns the greatest size of a query's codes for which no sum of
// products with 8-bit codes overflows an int32.
func Limit(dim int) float32 {
	return float32(min(math.MaxInt16, math.MaxInt32/(127*Padded(dim))))
}

// Dot returns the inner product of two vectors of equal length, 1 or more.
//
// Dot sums in this order: each of 32 running sums takes every 32nd product; the running sums are added
// by eights from the first to the last, then halved by adding the upper half
// to the lower; the products beyond the last multiple of 32 are added one by one.
func Dot(a, b []float32) float32 {
	if len(a) != len(b) || len(a) == 0 {
		panic("dist: vectors of different lengths or of none")
	}
	return best.dot(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
}

// Codes quantizes a vector: dst[i] is vec[i] divided by the returned scale, rounded
// to the nearest whole number (half to even); the largest of them is limit. dst has
// Padded(len(vec)) numbers, those after len(vec) are left as they are.
func Codes(vec []float32, limit float32, dst []int16) (scale float32) {
	dst = dst[:len(vec)]
	whole := len(vec) &^ 7
	var largest float32
	if whole > 0 {
		largest = best.maxAbs(unsafe.SliceData(vec), whole)
	}
	for _, x := range vec[whole:] {
		largest = max(largest, float32(math.Abs(float64(x))))
	}
	scale = largest / limit
	factor := limit / largest
	if largest < 1e-30 { // factor overflows, or is not precise
		whole = 0
		scale = max(scale, math.SmallestNonzeroFloat32)
	}
	if whole > 0 {
		best.round(unsafe.SliceData(vec), whole, factor, unsafe.SliceData(dst))
	}
	for i := whole; i < len(vec); i++ {
		// Multiply in float32 as round does, unless factor is out of its range.
		x := float64(vec[i] * factor)
		if largest < 1e-30 {
			x = float64(vec[i]) * (float64(limit) / float64(largest))
		}
		dst[i] = int16(math.RoundToEven(x))
	}
	return scale
}

// Rows are the codes and the scales of all slots, side by side: the codes of slot i are
// the bytes [i*stride, (i+1)*stride) from codes, signed, and scales[i] is what one of them is worth.
type Rows struct {
	codes  *byte
	scales *float32
	stride int
}

// NewRows describes rows of stride bytes, a multiple of RowUnit, for as many slots as there are scales.
func NewRows(codes []uint64, scales []float32, stride int) Rows {
	if stride%RowUnit != 0 || stride <= 0 || len(codes)*8 != len(scales)*stride {
		panic("dist: rows of another size")
	}
	return Rows{(*byte)(unsafe.Pointer(unsafe.SliceData(codes))), unsafe.SliceData(scales), stride}
}

// Scores sets out[i] to the inner product of the query and the row of slots[i],
// in units of the query's scale, for the first n slots. query holds stride codes. slots and out have
// room for n rounded up to a multiple of Lanes; what is there after n is overwritten.
func (r Rows) Scores(query []int16, slots []uint32, n int, out []float32) {
	if n == 0 {
		return
	}
	whole := (n + Lanes - 1) / Lanes * Lanes
	slots, out, query = slots[:whole], out[:whole], query[:r.stride]
	for i := n; i < whole; i++ {
		slots[i] = slots[n-1]
	}
	best.scores(unsafe.SliceData(query), r.codes, r.stride, r.scales, unsafe.SliceData(slots), whole, unsafe.SliceData(out))
}

// CoarseLimit is the greatest size of a Coarse query's codes: no two products with 8-bit codes sum to more than an int16 holds.
const CoarseLimit = 64

// Coarse is a query of 7-bit codes: half as many instructions multiply it with a row as one of 16 bits.
type Coarse struct {
	codes  []int16
	narrow []int8
	// offset is what the product is greater by with codes that 128 was added to.
	offset int32
}

// Set takes codes within CoarseLimit, as many as a row has, and keeps them: they may not change afterwards.
func (q *Coarse) Set(codes []int16) {
	q.codes, q.offset = codes, 0
	if len(q.narrow) != len(codes) {
		q.narrow = make([]int8, len(codes))
	}
	for i, c := range codes {
		q.narrow[i] = int8(c)
		q.offset += 128 * int32(c)
	}
}

// Coarse is Scores of the first len(out) rows, a multiple of Lanes, which order counts from 0.
func (r Rows) Coarse(q *Coarse, order []uint32, out []float32) {
	if len(out) == 0 {
		return
	}
	if len(out)%Lanes != 0 || len(q.codes) != r.stride {
		panic("dist: rows that are no multiple of four, or a query of another size")
	}
	best.coarse(q, r, unsafe.SliceData(order[:len(out)]), len(out), unsafe.SliceData(out))
}

// Unvisited copies to out the slots of list, up to None or its end, whose entry in visited is not stamp, sets these
// entries to stamp, and prefetches the slots' rows and the list at next, which the caller will read after this one. It
// returns the number of these slots. out has room for len(list)+Lanes.
//
// Unvisited checks no bounds: each slot must be below len(visited) and the number of rows.
func (r Rows) Unvisited(list []uint32, visited []uint16, stamp uint16, out []uint32, next *uint32) int {
	_ = out[len(list)+Lanes-1]
	return best.unvisited(unsafe.SliceData(list), len(list), unsafe.SliceData(visited), stamp, r.codes, r.stride, unsafe.SliceData(out), next)
}

// Widen sets dst to the codes of a slot.
func (r Rows) Widen(slot uint32, dst []int16) {
	dst = dst[:r.stride]
	best.widen((*byte)(unsafe.Add(unsafe.Pointer(r.codes), int(slot)*r.stride)), r.stride, unsafe.SliceData(dst))
}

// Store writes a row of codes, each within -127 and 127. The caller writes the scale.
func (r Rows) Store(slot uint32, codes []int16) {
	codes = codes[:r.stride]
	words := unsafe.Slice((*uint64)(unsafe.Add(unsafe.Pointer(r.codes), int(slot)*r.stride)), r.stride/8)
	for i := range words {
		var w uint64
		for j, c := range codes[8*i : 8*i+8] {
			w |= uint64(uint8(c)) << (8 * j)
		}
		atomic.StoreUint64(&words[i], w)
	}
}

// DotRows sets out[i] to Dot(query, row slots[i] of vectors), where row s begins at vectors[s*stride].
func DotRows(query []float32, vectors []float32, stride int, slots []uint32, out []float32) {
	if len(slots) == 0 {
		return
	}
	out = out[:len(slots)]
	best.dotRows(unsafe.SliceData(query), len(query), unsafe.SliceData(vectors), stride, unsafe.SliceData(slots), len(slots), unsafe.SliceData(out))
}

// CopyRow copies src to dst, which are of equal length. Other goroutines may read or write either meanwhile.
func CopyRow(dst, src []float32) {
	if len(dst) != len(src) || len(src) == 0 {
		panic("dist: rows of different lengths or of none")
	}
	best.copyFloats(unsafe.SliceData(dst), unsafe.SliceData(src), len(src))
}
