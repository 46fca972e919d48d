package gemm

import (
	"fmt"

	"kilim/learner/tensor/sparse"
	"kilim/learner/tensor/vec"
)

// maxColumns is how many columns MultiplySparse sums at a time.
const maxColumns = 256

// MultiplySparse is c = x*B, or c += x*B when add is set, for one row x that is not whole and B, x.Length x n, dense: it
// reads only the rows of B whose factor is not 0. It sums them in the blocks of k in which Sgemm does. A zero changes no
// sum, so the bits are Sgemm's, but for the sign of a zero and for the last n%8 columns. Wrong sizes panic.
func MultiplySparse(x sparse.Vector, n int, b, c []float32, add bool) {
	if x.Whole() || len(x.Index) != len(x.Value) || n < 1 || len(b) != x.Length*n || len(c) != n {
		panic(fmt.Sprintf("gemm: multiply a row of %d numbers, %d of them at %d places, by %d numbers in %d columns to %d", x.Length, len(x.Value), len(x.Index), len(b), n, len(c)))
	}
	if !add {
		clear(c)
	}
	depth := int32(evenSize(x.Length, maxK, 1))
	var sums [maxColumns]float32
	for index, value := x.Index, x.Value; len(index) > 0; {
		end := (index[0]/depth + 1) * depth
		count := 1
		for count < len(index) && index[count] < end {
			count++
		}
		for from := 0; from < n; from += maxColumns {
			sum := sums[:min(maxColumns, n-from)]
			vec.Gather(index[:count], value[:count], b[from:], n, sum, false)
			vec.Axpy(1, sum, c[from:from+len(sum)])
		}
		index, value = index[count:], value[count:]
	}
}
