package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// workload is a graph, the weights of a model, and a stream of edges.
type workload struct {
	nodes int
	// src and dst are the ends of the edges in the order of the stream. The first start of them are there at the start.
	src, dst []int32
	start    int
	x        []float32 // nodes x width of the first layer
	weights  *weights
	// expectedStart and expectedFinal are the embeddings with the first start edges and with all, as the peer computes
	// them; nil in a workload of our own.
	expectedStart, expectedFinal []float32
	tolerance                    float64
}

// weights are those of both layers.
type weights struct{ layers [2]layerWeights }

// layerWeights are matrices of in x out for the node's own vector and for the mean of those that it reads, and a bias.
type layerWeights struct {
	in, out         int
	own, mean, bias []float32
}

// header is the peer's header.json, as far as it is used.
type header struct {
	Nodes     int     `json:"nodes"`
	Edges     int     `json:"edges"`
	Start     int     `json:"start_edges"`
	Tolerance float64 `json:"tolerance"`
	Files     map[string]struct {
		Shape []int `json:"shape"`
	} `json:"files"`
}

// readExport reads what `recompute_arxiv.py export` wrote.
func readExport(dir string) (*workload, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "header.json"))
	if err != nil {
		return nil, err
	}
	var h header
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, fmt.Errorf("%s: header.json: %w", dir, err)
	}
	x, m := h.Files["x.bin"].Shape, [4][]int{h.Files["R1.bin"].Shape, h.Files["L1.bin"].Shape, h.Files["R2.bin"].Shape, h.Files["L2.bin"].Shape}
	for _, shape := range append(m[:], x) {
		if len(shape) != 2 {
			return nil, fmt.Errorf("%s: header.json: a matrix of shape %v", dir, shape)
		}
	}
	w := &workload{
		nodes: h.Nodes, start: h.Start, tolerance: h.Tolerance,
		src: make([]int32, h.Edges), dst: make([]int32, h.Edges), x: make([]float32, h.Nodes*x[1]),
		weights: new(weights), expectedStart: make([]float32, h.Nodes*m[2][1]), expectedFinal: make([]float32, h.Nodes*m[2][1]),
	}
	files := []struct {
		name string
		to   any
	}{{"src", w.src}, {"dst", w.dst}, {"x", w.x}, {"expected_start", w.expectedStart}, {"expected_final", w.expectedFinal}}
	for l := range w.weights.layers {
		p := &w.weights.layers[l]
		p.in, p.out = m[2*l][0], m[2*l][1]
		p.own, p.mean, p.bias = make([]float32, p.in*p.out), make([]float32, p.in*p.out), make([]float32, p.out)
		for name, to := range map[string][]float32{"R": p.own, "L": p.mean, "B": p.bias} {
			files = append(files, struct {
				name string
				to   any
			}{fmt.Sprint(name, l+1), to})
		}
	}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.name+".bin"))
		if err != nil {
			return nil, err
		}
		if want := binary.Size(f.to); len(raw) != want {
			return nil, fmt.Errorf("%s: %s.bin has %d bytes, want %d", dir, f.name, len(raw), want)
		}
		if err := binary.Read(bytes.NewReader(raw), binary.LittleEndian, f.to); err != nil {
			return nil, fmt.Errorf("%s: %s.bin: %w", dir, f.name, err)
		}
	}
	return w, nil
}

// newWorkload makes a small workload of the same kind: targets follow a power law.
func newWorkload(nodes, edges, in, hidden, out int, seed uint64) *workload {
	rng := rand.New(rand.NewPCG(seed, 0))
	normal := func(n int, scale float64) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(scale * rng.NormFloat64())
		}
		return v
	}
	w := &workload{nodes: nodes, start: edges * 9 / 10, x: normal(nodes*in, 1), weights: new(weights), tolerance: 1e-3}
	for l, d := range [][2]int{{in, hidden}, {hidden, out}} {
		scale := 1 / math.Sqrt(float64(d[0]))
		w.weights.layers[l] = layerWeights{d[0], d[1], normal(d[0]*d[1], scale), normal(d[0]*d[1], scale), normal(d[1], scale)}
	}
	have := map[[2]int32]bool{}
	for len(have) < edges {
		// The inverse of the distribution function of a density like i^-0.74.
		e := [2]int32{int32(rng.IntN(nodes)), int32(float64(nodes) * math.Pow(rng.Float64(), 1/(1-0.74)))}
		if e[0] != e[1] && !have[e] {
			have[e] = true
			w.src, w.dst = append(w.src, e[0]), append(w.dst, e[1])
		}
	}
	return w
}
