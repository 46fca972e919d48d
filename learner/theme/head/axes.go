package head

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/lapack"
	lapackgonum "gonum.org/v1/gonum/lapack/gonum"
)

// dependent is by how much a column may shrink when its part along the earlier ones is taken off: what is left of one that shrinks
// more is rounding, and the columns have one direction less.
const dependent = 1e-6

// orthonormal changes columns to an orthonormal basis of theirs, in place, by the Gram-Schmidt process, done twice (Giraud, Langou and
// Rozložník, "The Loss of Orthogonality in the Gram-Schmidt Orthogonalization Process", 2005). A dependent one becomes 0.
func orthonormal(columns [][]float64) [][]float64 {
	for j, c := range columns {
		before := math.Sqrt(dot(c, c))
		for range 2 {
			for _, earlier := range columns[:j] {
				add(-dot(earlier, c), earlier, c)
			}
		}
		factor := 0.0
		if length := math.Sqrt(dot(c, c)); length > dependent*before {
			factor = 1 / length
		}
		for i := range c {
			c[i] *= factor
		}
	}
	return columns
}

// ritz are the principal axes within the span of basis, the largest first, by basis and its products with a symmetric matrix. The farthest number
// of an axis is positive: an eigenvector has no direction of its own. ok is false when Dsyev does not converge.
func ritz(basis, products [][]float64) (principal [][]float64, ok bool) {
	n := len(basis)
	inside := make([]float64, n*n)
	for i := range n {
		for j := i; j < n; j++ {
			inside[i*n+j] = (dot(basis[i], products[j]) + dot(basis[j], products[i])) / 2
		}
	}
	var solver lapackgonum.Implementation // not mat.EigenSym: see eigenvalues of learner/train
	values, size := make([]float64, n), make([]float64, 1)
	solver.Dsyev(lapack.EVCompute, blas.Upper, n, inside, n, values, size, -1)
	work := make([]float64, int(size[0]))
	if !solver.Dsyev(lapack.EVCompute, blas.Upper, n, inside, n, values, work, len(work)) {
		return nil, false
	}
	for a := n - 1; a >= 0; a-- { // Dsyev gives them by rising eigenvalue
		axis := make([]float64, len(basis[0]))
		for k := range n {
			add(inside[k*n+a], basis[k], axis)
		}
		farthest := 0.0
		for _, x := range axis {
			if math.Abs(x) > math.Abs(farthest) {
				farthest = x
			}
		}
		if farthest < 0 {
			for i := range axis {
				axis[i] = -axis[i]
			}
		}
		principal = append(principal, axis)
	}
	return principal, true
}

func dot(x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += x[i] * y[i]
	}
	return sum
}

// add adds factor x to y.
func add(factor float64, x, y []float64) {
	for i := range x {
		y[i] += factor * x[i]
	}
}
