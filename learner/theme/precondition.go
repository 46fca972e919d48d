package theme

import (
	"gonum.org/v1/gonum/blas"

	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/par"
)

// jitter is added to the kernel of each landmark with itself: two records of the same content are two equal rows of
// their kernels, which would have no factor.
const jitter = 1e-3

// preconditioner is the inverse of ridge I + N, up to the factor ridge, where N is the Nyström approximation of the kernels of n Works by
// m landmarks: I - G G', G n x m. With C the kernels of all with the landmarks and L L' those of the landmarks, N = F F', F = C L'^-1; and with R R' =
// ridge I + F'F, G = F R'^-1 (Woodbury's identity). C'C itself, without L, would square the condition of the kernels, and float32
// does not bear that.
type preconditioner struct {
	n, m int
	g    []float32
}

// precondition makes the preconditioner by the first m of the Works; byFeature are the vectors of all, transposed.
func precondition(pool *par.Pool, vectors []vector, byFeature *matrix, m int, ridge float64) (*preconditioner, error) {
	p := &preconditioner{n: len(vectors), m: m, g: make([]float32, len(vectors)*m)}
	engine := gemm.New(pool)
	pool.Caller().Run(&kernelTask{p, vectors, byFeature}, (p.n+together-1)/together)
	kernels := append([]float32(nil), p.g[:m*m]...)
	for i := range m {
		kernels[i*m+i] += jitter
	}
	span, err := factorize(engine, m, kernels)
	if err != nil {
		return nil, err
	}
	span.forward(p.n, p.g)
	normal := make([]float32, m*m) // ridge I + F'F, its lower triangle
	for j := 0; j < m; j += side {
		engine.Sgemm(blas.Trans, blas.NoTrans, m-j, min(side, m-j), p.n, 1, p.g[j:], m, p.g[j:], m, 0, normal[j*m+j:], m)
	}
	for i := range m {
		normal[i*m+i] += float32(ridge)
	}
	root, err := factorize(engine, m, normal)
	if err != nil {
		return nil, err
	}
	root.forward(p.n, p.g)
	return p, nil
}

// apply writes to out the product with r, both n x width; spare has room for m x width.
func (p *preconditioner) apply(engine *gemm.Engine, worker *par.Worker, width int, r, out, spare []float32) {
	spare = spare[:p.m*width]
	engine.SgemmOn(worker, blas.Trans, blas.NoTrans, p.m, width, p.n, 1, p.g, p.m, r, width, 0, spare, width)
	for i := range spare {
		spare[i] = -spare[i] // rather than have the engine copy G times -1
	}
	copy(out, r)
	engine.SgemmOn(worker, blas.NoTrans, blas.NoTrans, p.n, width, p.m, 1, p.g, p.m, spare, width, 1, out, width)
}

// together is how many Works' kernels are one part of a task.
const together = 64

// kernelTask computes the kernels of Works with the landmarks.
type kernelTask struct {
	*preconditioner
	vectors   []vector
	byFeature *matrix
}

func (t *kernelTask) Part(part int, _ *par.Worker) {
	for i := part * together; i < min((part+1)*together, t.n); i++ {
		t.byFeature.timesVector(t.vectors[i], t.g[i*t.m:][:t.m])
	}
}
