package main

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"kilim/graphstore"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/sparse"
)

// sage is a two-layer GraphSAGE with mean aggregation over links, which are read one way: from source to target.
//
//	h1 = relu(x R1 + mean x L1 + B1)
//	h2 = h1 R2 + mean h1 L2 + B2
//
// h2 is the embedding. A row's bits depend on nothing but the row: products by packed matrices guarantee it.
type sage struct {
	layers [2]sageLayer
}

var _ refresh.Model = (*sage)(nil)

type sageLayer struct {
	in, out int
	// weights are R above L, so that a layer is one product with the rows [own | mean].
	weights *gemm.Packed
	bias    []float32
	relu    bool
	buffers sync.Pool // of the rows of a part
}

// newSage takes the matrices of both layers, input x output.
func newSage(w *weights) *sage {
	m := new(sage)
	for l, p := range w.layers {
		in, out := p.in, p.out
		ly := &m.layers[l]
		ly.in, ly.out, ly.bias, ly.relu = in, out, p.bias, l == 0
		ly.weights = gemm.Pack(2*in, out, slices.Concat(p.own, p.mean))
		ly.buffers.New = func() any { b := make([]float32, rowsPerPart*2*in); return &b }
	}
	return m
}

func (m *sage) Layers() int { return len(m.layers) }

func (m *sage) Width(layer int) int { return m.layers[layer].in }

// MessageWidth and Give: nodes give their vectors.
func (m *sage) MessageWidth(layer int) int { return m.Width(layer) }

func (m *sage) Give(_, _ int, v []float32) []float32 { return v }

func (m *sage) Gathers(int) bool { return false }

// Node is h0 of what is no artifact, of which there is none here.
func (m *sage) Node(sparse.Vector, int) []float32 { return make([]float32, m.layers[0].in) }

// Artifacts takes features as they are: the input vector is no product. The second half, for Embed, is unused.
func (m *sage) Artifacts(features []infer.Features, _ int) [][]float32 {
	out := make([][]float32, len(features))
	for i, f := range features {
		out[i] = append(append(make([]float32, 0, 2*m.layers[0].in), f.Facts...), make([]float32, m.layers[0].in)...)
	}
	return out
}

// Embed is the second layer. It is told no epsilon above 0, and bounds nothing.
func (m *sage) Embed(in []infer.Input, _ [][]float32, _ float32) ([][]float32, []float64) {
	return m.Layer(1, in, 0), nil
}

// rowsPerPart is how many rows a goroutine takes at a time: their inputs and products stay in its cache.
const rowsPerPart = 64

func (m *sage) Layer(l int, in []infer.Input, _ float32) [][]float32 {
	ly := &m.layers[l]
	slab, out := make([]float32, len(in)*ly.out), make([][]float32, len(in))
	for i := range out {
		out[i] = slab[i*ly.out : (i+1)*ly.out : (i+1)*ly.out]
	}
	parallel((len(in)+rowsPerPart-1)/rowsPerPart, func(part int) {
		from := part * rowsPerPart
		ly.rows(in[from:min(from+rowsPerPart, len(in))], slab[from*ly.out:])
	})
	return out
}

func (ly *sageLayer) rows(in []infer.Input, out []float32) {
	buffer := ly.buffers.Get().(*[]float32)
	defer ly.buffers.Put(buffer)
	rows := (*buffer)[:len(in)*2*ly.in]
	for i, x := range in {
		row := rows[i*2*ly.in : (i+1)*2*ly.in]
		if len(x.Self) != ly.in {
			panic(fmt.Sprintf("sage: a vector of %d numbers, want %d", len(x.Self), ly.in))
		}
		copy(row, x.Self)
		clear(row[ly.in:])
		for _, msg := range x.Messages {
			if msg.Relation == refresh.RelationIndex(graphstore.RelLink|graphstore.Inverse) {
				copy(row[ly.in:], msg.Mean)
			}
		}
	}
	ly.weights.Multiply(len(in), rows, out)
	for i := range in {
		row := out[i*ly.out : (i+1)*ly.out]
		for j, b := range ly.bias {
			row[j] += b
			if ly.relu {
				row[j] = max(row[j], 0)
			}
		}
	}
}

// parallel calls fn for each part, on all processors.
func parallel(parts int, fn func(part int)) {
	var next atomic.Int64
	run := func() {
		for {
			part := int(next.Add(1) - 1)
			if part >= parts {
				return
			}
			fn(part)
		}
	}
	var wg sync.WaitGroup
	for range min(parts, runtime.GOMAXPROCS(0)) - 1 {
		wg.Go(run)
	}
	run()
	wg.Wait()
}
