package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"

	"kilim/internal/cputime"
	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
	"kilim/learner/theme"
)

// bySubspaces is the name of the ranking by E alone, split into a group of coordinates for each theme and one that they share.
const bySubspaces = "subspaces of E"

// What the subspaces are learnt by. A group has as many coordinates as a head has axes. None of this was tuned, but that the noise begins far
// below what the numbers say: from a variance of exp(-4) on, the groups ranked much worse.
const (
	groupWidth     = 31
	subspaceSteps  = 300
	subspaceBatch  = 512
	subspaceRate   = 3e-3
	closenessToOne = 1e-3 // of the Kullback-Leibler divergence from N(0, 1), beta of Higgins et al., "beta-VAE", ICLR 2017
	independence   = 1    // of the squares of the covariances between groups
)

// subspaces splits E by a learned projection: the latent numbers z = E in, of which a linear decoder tells E again. The inner products of
// a theme's group are fitted to those of the works' coordinates in the theme, and no group may tell of another: its covariances with
// the others are penalized. The last group is the shared one. The latent numbers have a variance of their own, noise that is drawn in
// training, of which the divergence keeps what is not needed.
type subspaces struct {
	engine   *gemm.Engine
	groups   int
	in       []float32 // width x latent
	decoder  []float32 // latent x width
	variance []float32 // logarithms, of each latent number
}

func (s *subspaces) latent() int { return s.groups * groupWidth }

// groups are the ranked works' numbers in the group of each theme, of subspaces that are learnt from the fitted works.
func (o *options) groups(ctx context.Context, stdout io.Writer, all, fitted, ranked *archive, m *theme.Model, known []*theme.Profile) (map[string][][]float32, error) {
	e, err := all.embeddings(ctx, o.cfg.Threads)
	if err != nil {
		return nil, fmt.Errorf("the embeddings: %w", err)
	}
	pool, err := par.New(o.cfg.Threads)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	start := cputime.Spent()
	s, err := learnSubspaces(ctx, pool, fitted.rowsOf(e), coordinates(m, known), uint64(o.seed))
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(stdout, "subspaces: %.1f s to learn %d steps\n", (cputime.Spent() - start).Seconds(), subspaceSteps)
	latent, out := s.project(ranked.rowsOf(e)), map[string][][]float32{}
	for i, t := range m.Themes() {
		out[t] = s.group(latent, i)
	}
	return out, nil
}

// innerProducts are those of all vectors with the one of a work.
func innerProducts(vectors [][]float32, query int) []float64 {
	out := make([]float64, len(vectors))
	for i, v := range vectors {
		out[i] = float64(vec.Dot(vectors[query], v))
	}
	return out
}

// learnSubspaces learns them of the embeddings and coordinates (by theme and work) of the fitted works.
func learnSubspaces(ctx context.Context, pool *par.Pool, e []float32, coordinates [][][]theme.Coordinate, seed uint64) (*subspaces, error) {
	s := &subspaces{engine: gemm.New(pool), groups: len(coordinates) + 1}
	rng := rand.New(rand.NewPCG(seed, 0x5b5))
	d, works := s.latent(), len(e)/width
	s.in, s.decoder, s.variance = make([]float32, width*d), make([]float32, d*width), make([]float32, d)
	for i := range s.in {
		s.in[i] = float32(rng.NormFloat64() / math.Sqrt(width))
		s.decoder[i] = float32(rng.NormFloat64() / math.Sqrt(float64(d)))
	}
	for j := range s.variance {
		s.variance[j] = -7
	}
	var updates [3]struct{ gradient, m, v []float32 }
	params := [3][]float32{s.in, s.decoder, s.variance}
	for k, p := range params {
		updates[k].gradient, updates[k].m, updates[k].v = make([]float32, len(p)), make([]float32, len(p)), make([]float32, len(p))
	}
	for step := range subspaceSteps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		batch := rng.Perm(works)[:min(subspaceBatch, works)]
		rows := make([]float32, 0, len(batch)*width)
		for _, i := range batch {
			rows = append(rows, e[i*width:][:width]...)
		}
		s.gradients(rng, rows, batch, coordinates, updates[0].gradient, updates[1].gradient, updates[2].gradient)
		rate := subspaceRate * (1 + math.Cos(math.Pi*float64(step)/subspaceSteps)) / 2
		for k, p := range params {
			vec.Adam{Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Rate: rate, Step: step + 1}.Update(p, updates[k].gradient, updates[k].m, updates[k].v)
		}
	}
	return s, nil
}

// gradients writes those of the loss of a batch with respect to in, decoder and variance.
func (s *subspaces) gradients(rng *rand.Rand, rows []float32, batch []int, coordinates [][][]theme.Coordinate, dIn, dDecoder, dVariance []float32) {
	n, d := len(batch), s.latent()
	mu := s.project(rows)
	// z = mu + sigma noise.
	z, noise := make([]float32, n*d), make([]float32, n*d)
	for i := range z {
		noise[i] = float32(rng.NormFloat64() * math.Exp(float64(s.variance[i%d])/2))
		z[i] = mu[i] + noise[i]
	}
	dz := make([]float32, n*d)
	// How well E is told again: the mean square of what is missing.
	missing := make([]float32, n*width)
	copy(missing, rows)
	s.engine.Sgemm(blas.NoTrans, blas.NoTrans, n, width, d, 1, z, d, s.decoder, width, -1, missing, width)
	by := float32(2 / float64(n))
	s.engine.Sgemm(blas.Trans, blas.NoTrans, d, width, n, by, z, d, missing, width, 0, dDecoder, width)
	s.engine.Sgemm(blas.NoTrans, blas.Trans, n, d, width, by, missing, width, s.decoder, width, 0, dz, d)
	// How well the themes are told: the mean square of what inner products are off by, and the share of near pairs is small.
	difference := make([]float32, n*n)
	for t, of := range coordinates {
		at := t * groupWidth
		s.engine.Sgemm(blas.NoTrans, blas.Trans, n, n, groupWidth, 1, z[at:], d, z[at:], d, 0, difference, n)
		target := inners(batch, of)
		for i := range difference {
			difference[i] -= target[i]
		}
		for i := range n {
			difference[i*n+i] = 0
		}
		s.engine.Sgemm(blas.NoTrans, blas.NoTrans, n, groupWidth, n, float32(themesCount/float64(n)), difference, n, z[at:], d, 1, dz[at:], d)
	}
	s.penalties(n, mu, dz)
	for j := range d {
		sum := 0.0
		for i := range n {
			sum += float64(dz[i*d+j]) * float64(noise[i*d+j]) / 2
		}
		dVariance[j] = float32(sum + closenessToOne/2*(math.Exp(float64(s.variance[j]))-1))
	}
	s.engine.Sgemm(blas.Trans, blas.NoTrans, width, d, n, 1, rows, width, dz, d, 0, dIn, d)
}

// themesCount is by how much the fit to the themes counts more than that to E, whose length is 1.
const themesCount = 4

// penalties adds the gradients of the divergence and of the covariances between groups.
func (s *subspaces) penalties(n int, mu, dz []float32) {
	d := s.latent()
	covariance := make([]float32, d*d)
	s.engine.Sgemm(blas.Trans, blas.NoTrans, d, d, n, float32(1/float64(n)), mu, d, mu, d, 0, covariance, d)
	for i := range d {
		from := i / groupWidth * groupWidth
		clear(covariance[i*d+from:][:groupWidth])
	}
	s.engine.Sgemm(blas.NoTrans, blas.NoTrans, n, d, d, float32(4*independence/float64(n)), mu, d, covariance, d, 1, dz, d)
	vec.Axpy(float32(closenessToOne/float64(n)), mu, dz)
}

// project are the latent numbers of embeddings, without noise.
func (s *subspaces) project(e []float32) []float32 {
	n, d := len(e)/width, s.latent()
	out := make([]float32, n*d)
	s.engine.Sgemm(blas.NoTrans, blas.NoTrans, n, d, width, 1, e, width, s.in, d, 0, out, d)
	return out
}

// group are the latent numbers of one group, of each work.
func (s *subspaces) group(latent []float32, t int) [][]float32 {
	d := s.latent()
	var out [][]float32
	for at := 0; at < len(latent); at += d {
		out = append(out, latent[at+t*groupWidth:][:groupWidth])
	}
	return out
}

// inners are the inner products of the coordinates of some works.
func inners(batch []int, of [][]theme.Coordinate) []float32 {
	n := len(batch)
	byPlace := map[int][]int{} // the works of the batch that have a coordinate, and where
	value := map[int][]float32{}
	for k, i := range batch {
		for _, c := range of[i] {
			byPlace[c.Place], value[c.Place] = append(byPlace[c.Place], k), append(value[c.Place], c.Value)
		}
	}
	out := make([]float32, n*n)
	for k, i := range batch {
		row := out[k*n:][:n]
		for _, c := range of[i] {
			values := value[c.Place]
			for j, other := range byPlace[c.Place] {
				row[other] += c.Value * values[j]
			}
		}
	}
	return out
}
