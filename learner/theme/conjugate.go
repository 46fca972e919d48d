package theme

import (
	"fmt"
	"math"

	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/par"
)

const (
	// abreast is how many terms are solved at once.
	abreast = 64
	// patience is after how many steps a solution is given up. It takes 5 to 10.
	patience = 200
)

// lanes has a number for each of the terms that are solved at once.
type lanes [abreast]float64

// system are the equations (X X' + ridge I) a = y of kernel ridge regression, X the vectors of n Works as rows. The kernels X X' are
// never formed.
type system struct {
	x         *matrix // n x features
	byFeature *matrix // its transpose
	ridge     float64
	tolerance float64
	engine    *gemm.Engine
	*preconditioner
}

// right is the right side of a term: which Works have it, and the share of all that do. Where out is not 0, the solution is that without the Works of a fold, that of
// this number less 1: every one of so many in a row, as they come.
type right struct {
	works []int32
	prior float32
	out   int
}

// workspace is the memory in which abreast terms are solved: 4 n + m + features rows of them.
type workspace struct{ a, r, z, p, byMark, byFeature []float32 }

func (s *system) workspace() *workspace {
	n := s.n * abreast
	return &workspace{
		a: make([]float32, n), r: make([]float32, n), z: make([]float32, n), p: make([]float32, n),
		byMark: make([]float32, s.m*abreast), byFeature: make([]float32, s.x.columns*abreast),
	}
}

// solve computes, for up to abreast terms, X'a: what each feature adds to the probability of each term beyond its prior. It is
// features x abreast, in the workspace. The method is that of preconditioned conjugate gradients (Golub and Van Loan, "Matrix
// Computations", 4th edition, algorithm 11.5.1). Each term takes steps of its own lengths until its residual is tolerance times its
// right side, so its solution has the same bits whatever terms are beside it.
func (s *system) solve(worker *par.Worker, w *workspace, terms []right) ([]float32, error) {
	clear(w.a)
	w.begin(terms)
	size := sums(w.r, w.r)
	var left lanes // 1 while a term is not solved
	for c := range size {
		if size[c] > 0 {
			left[c] = 1
		}
	}
	s.apply(s.engine, worker, abreast, w.r, w.z, w.byMark)
	w.leave(w.z, terms)
	copy(w.p, w.z)
	before := sums(w.r, w.z)
	for steps := 0; left != (lanes{}); steps++ {
		if steps == patience {
			return nil, fmt.Errorf("theme: a term has no solution within %g of its labels after %d steps", s.tolerance, steps)
		}
		q := w.z // (X X' + ridge I) p
		s.byFeature.times(w.p, abreast, w.byFeature)
		s.x.times(w.byFeature, abreast, q)
		w.leave(q, terms)
		addEach(q, left.scaled(s.ridge), w.p)
		step := before.over(sums(w.p, q), left)
		addEach(w.a, step, w.p)
		addEach(w.r, step.scaled(-1), q)
		for c, rest := range sums(w.r, w.r) {
			if math.Sqrt(rest) <= s.tolerance*math.Sqrt(size[c]) {
				left[c] = 0
			}
		}
		s.apply(s.engine, worker, abreast, w.r, w.z, w.byMark)
		w.leave(w.z, terms)
		after := sums(w.r, w.z)
		scaleEach(w.p, after.over(before, left))
		addEach(w.p, left, w.z)
		before = after
	}
	s.byFeature.times(w.a, abreast, w.byFeature)
	return w.byFeature, nil
}

// begin sets r to the right sides: 1 where a Work has a term, less the term's prior. Lanes without a term are 0.
func (w *workspace) begin(terms []right) {
	clear(w.r)
	for c, t := range terms {
		for i := c; i < len(w.r); i += abreast {
			w.r[i] = -t.prior
		}
		for _, i := range t.works {
			w.r[int(i)*abreast+c]++
		}
	}
	w.leave(w.r, terms)
}

// sums are the inner products of the columns of x and y.
func sums(x, y []float32) (out lanes) {
	for i := 0; i < len(x); i += abreast {
		x, y := (*[abreast]float32)(x[i:]), (*[abreast]float32)(y[i:])
		for c := range out {
			out[c] += float64(x[c]) * float64(y[c])
		}
	}
	return out
}

// addEach adds to each column of y that of x times its factor.
func addEach(y []float32, factor lanes, x []float32) {
	k := factor.narrow()
	for i := 0; i < len(x); i += abreast {
		x, y := (*[abreast]float32)(x[i:]), (*[abreast]float32)(y[i:])
		for c := range k {
			y[c] += k[c] * x[c]
		}
	}
}

func scaleEach(y []float32, factor lanes) {
	k := factor.narrow()
	for i := 0; i < len(y); i += abreast {
		y := (*[abreast]float32)(y[i:])
		for c := range k {
			y[c] *= k[c]
		}
	}
}

func (l lanes) narrow() (out [abreast]float32) {
	for c, v := range l {
		out[c] = float32(v)
	}
	return out
}

func (l lanes) scaled(by float64) lanes {
	for c := range l {
		l[c] *= by
	}
	return l
}

// over are the quotients where a term is left, and 0 elsewhere.
func (l lanes) over(divisor, left lanes) (out lanes) {
	for c := range out {
		if left[c] > 0 {
			out[c] = l[c] / divisor[c]
		}
	}
	return out
}
