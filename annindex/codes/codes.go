package codes

import (
	"math"

	"kilim/annindex/internal/dist"
)

// Unit is of how many rows Products makes the products at a time.
const Unit = dist.Lanes

// Rows are so many vectors of one dimension, zero until they are set. One may set them while nobody multiplies.
type Rows struct {
	dim    int
	codes  []uint64
	scales []float32
	rows   dist.Rows
	order  []uint32
	// row is memory for Set.
	row []int16
}

// NewRows makes n rows, a multiple of four.
func NewRows(dim, n int) *Rows {
	if n%dist.Lanes != 0 {
		panic("codes: rows that are no multiple of four")
	}
	stride := dist.Padded(dim)
	r := &Rows{dim: dim, codes: make([]uint64, n*stride/8), scales: make([]float32, n), row: make([]int16, stride)}
	r.rows = dist.NewRows(r.codes, r.scales, stride)
	r.order = make([]uint32, n)
	for i := range r.order {
		r.order[i] = uint32(i)
	}
	return r
}

// RowBytes is what a row takes.
func RowBytes(dim int) int { return dist.Padded(dim) + 4 + 4 }

// Set sets a row, and returns the length of what rounding takes from the vector.
func (r *Rows) Set(i int, vector []float32) (rest float32) {
	r.scales[i] = dist.Codes(vector[:r.dim], 127, r.row)
	r.rows.Store(uint32(i), r.row)
	return lost(vector, r.row, r.scales[i])
}

func lost(vector []float32, codes []int16, scale float32) float32 {
	sum := 0.0
	for i, x := range vector {
		d := float64(x) - float64(scale)*float64(codes[i])
		sum += d * d
	}
	return float32(math.Sqrt(sum))
}

// Query is a vector to multiply rows with. The zero value is ready for Set.
type Query struct {
	codes, coarse      []int16
	scale, coarseScale float32
	narrow             dist.Coarse
}

// Set makes it another vector, and returns the length of what rounding takes from it: for Products, and for Coarse.
func (q *Query) Set(vector []float32) (rest, coarse float32) {
	if n := dist.Padded(len(vector)); n != len(q.codes) {
		q.codes, q.coarse = make([]int16, n), make([]int16, n)
	}
	q.scale = dist.Codes(vector, dist.Limit(len(vector)), q.codes)
	q.coarseScale = dist.Codes(vector, dist.CoarseLimit, q.coarse)
	q.narrow.Set(q.coarse)
	return lost(vector, q.codes, q.scale), lost(vector, q.coarse, q.coarseScale)
}

// Coarse writes the inner products with all rows, both as rounded, in units of a scale, which it returns. Any number may
// multiply at the same time.
func (r *Rows) Coarse(q *Query, out []float32) (scale float32) {
	r.rows.Coarse(&q.narrow, r.order, out[:len(r.order)])
	return q.coarseScale
}

// Products is Coarse of some rows, and nearer to the truth. rows and out have room for a multiple of four, and what is there behind the rows is overwritten.
func (r *Rows) Products(q *Query, rows []uint32, out []float32) (scale float32) {
	r.rows.Scores(q.codes, rows, len(rows), out)
	return q.scale
}
