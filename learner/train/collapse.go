package train

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack"
	lapackgonum "gonum.org/v1/gonum/lapack/gonum"

	"kilim/learner/tensor/tape"
	"kilim/learner/tensor/vec"
)

// Collapse measures how much of the space embeddings use. When a model collapses, Rank falls towards 1 and Uniformity
// rises towards 0.
type Collapse struct {
	// Rank is the effective rank: exp of the entropy of the singular values' shares (Roy and Vetterli 2007, section 2),
	// in 1..width.
	Rank float64
	// Uniformity is the logarithm of the mean of exp(-2 d^2) over pairs at distance d (Wang and Isola 2020, equation
	// 2): below 0, lower is more even.
	Uniformity float64
}

// MeasureCollapse measures the Collapse of two or more rows of length 1.
func MeasureCollapse(rows tape.Matrix) Collapse {
	n, d := rows.Rows, rows.Cols
	gram := make([]float64, d*d) // its upper triangle
	for i := range n {
		row := rows.Row(i)
		for a, x := range row {
			for b := a; b < d; b++ {
				gram[a*d+b] += float64(x) * float64(row[b])
			}
		}
	}
	squares, ok := eigenvalues(gram, d)
	if !ok {
		return Collapse{} // some row is not finite
	}
	var singular []float64
	total := 0.0
	for _, v := range squares {
		s := math.Sqrt(max(v, 0))
		singular = append(singular, s)
		total += s
	}
	entropy := 0.0
	for _, s := range singular {
		if p := s / total; p > 0 {
			entropy -= p * math.Log(p)
		}
	}
	sum := 0.0
	for i := range n {
		for j := range i {
			squared := 2 - 2*float64(vec.Dot(rows.Row(i), rows.Row(j)))
			sum += math.Exp(-2 * squared)
		}
	}
	return Collapse{math.Exp(entropy), math.Log(sum / (float64(n) * float64(n-1) / 2))}
}

// eigenvalues returns those of the symmetric d x d matrix whose upper triangle is given, in ascending order, and
// overwrites the matrix. ok is false when Dsyev does not converge.
//
// eigenvalues calls Dsyev on LAPACK's concrete type. mat.EigenSym calls the same Dsyev through an interface, for which
// the linker keeps all of LAPACK (1.5 MB of bin/kilim with its tables), and gonum/mat besides.
func eigenvalues(matrix []float64, d int) (values []float64, ok bool) {
	var solver lapackgonum.Implementation
	values = make([]float64, d)
	size := make([]float64, 1)
	solver.Dsyev(lapack.EVNone, blas.Upper, d, matrix, d, values, size, -1)
	work := make([]float64, int(size[0]))
	ok = solver.Dsyev(lapack.EVNone, blas.Upper, d, matrix, d, values, work, len(work))
	return values, ok
}

// reciprocalRank is the mean reciprocal rank of row i of keys among all keys, for the rows of queries.
func reciprocalRank(queries, keys tape.Matrix) float64 {
	sum := 0.0
	for i := range queries.Rows {
		sum += 1 / float64(rank(queries.Row(i), keys, i))
	}
	return sum / float64(queries.Rows)
}
