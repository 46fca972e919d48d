package theme

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"

	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
)

// Profile is what a Profiler tells of a Work.
type Profile struct {
	// Vector is where the Work lies.
	Vector Vector
	// Probable is the probability of each term, by ridge regression.
	Probable []float32
	// Near is each term's share of the nearest labelled Works, weighed by the squares of their kernels. A Work with labels is
	// the nearest to itself.
	Near []float32

	length float64 // of Probable
}

// unlikely and certain bound a probability: regression is not bound to [0, 1], and what is impossible or certain would
// leave nothing for other evidence to say.
const (
	unlikely = 1e-5
	certain  = 0.999
)

// Profiles tells what can be told of Works.
func (p *Profiler) Profiles(works []Work) ([]Profile, error) {
	pool, err := par.New(p.cfg.Threads)
	if err != nil {
		return nil, fmt.Errorf("theme: %w", err)
	}
	defer pool.Close()
	engine := gemm.New(pool)
	out := make([]Profile, len(works))
	terms := len(p.terms)
	all := make([]float32, p.rows.n)
	for from := 0; from < len(works); from += atOnce {
		to := min(from+atOnce, len(works))
		k := make([]float32, (to-from)*p.marks)
		probable, near := make([]float32, (to-from)*terms), make([]float32, (to-from)*terms)
		for i := from; i < to; i++ {
			own := &out[i]
			own.Vector = p.space.Vector(&works[i])
			own.Probable = probable[(i-from)*terms:][:terms:terms]
			own.Near = near[(i-from)*terms:][:terms:terms]
			clear(all)
			p.rows.kernels(own.Vector, all)
			copy(k[(i-from)*p.marks:], all[:p.marks])
			p.near(all, own.Near)
			copy(own.Probable, p.prior)
		}
		engine.Sgemm(blas.NoTrans, blas.Trans, to-from, terms, p.marks, 1, k, p.marks, p.alpha, p.marks, 1, probable, terms)
		bound(probable)
		bound(near)
		for i := from; i < to; i++ {
			out[i].length = math.Sqrt(float64(vec.Dot(out[i].Probable, out[i].Probable)))
		}
	}
	return out, nil
}

// near adds up the terms of the labelled Works of the largest kernels.
func (p *Profiler) near(kernels []float32, out []float32) {
	order := make([]int32, 0, len(kernels))
	for i, k := range kernels {
		if k > 0 {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(kernels[b], kernels[a]), cmp.Compare(a, b)) })
	order = order[:min(p.cfg.Neighbours, len(order))]
	total := float32(0)
	for _, i := range order {
		total += kernels[i] * kernels[i]
	}
	for _, i := range order {
		for _, term := range p.labels[i] {
			out[term] += kernels[i] * kernels[i] / total
		}
	}
}

func bound(x []float32) {
	for i, v := range x {
		x[i] = max(unlikely, min(v, certain))
	}
}
