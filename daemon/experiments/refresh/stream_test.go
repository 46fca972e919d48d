package main

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// TestStream runs a small stream in batches of each size: insertions, deletions and changes of features end in the
// embeddings of a full recomputation, and undone in the state of the start.
func TestStream(t *testing.T) {
	t.Parallel()
	w := newWorkload(300, 3000, 12, 20, 7, 1)
	for _, size := range []int{1, 7, 300} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			s, err := newStream(w)
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.run(size, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if got.insert.updates != 300/size*size || got.remove.updates != got.insert.updates || got.feature.updates < 300/size*size {
				t.Errorf("%d insertions, %d deletions, %d changes of features", got.insert.updates, got.remove.updates, got.feature.updates)
			}
			if got.insert.embedded >= w.nodes*len(got.insert.batches) {
				t.Errorf("%d embeddings in %d batches: everything was recomputed each time", got.insert.embedded, len(got.insert.batches))
			}
		})
	}
}

// TestFullRecomputation compares the full recomputation with one by plain loops in float64.
func TestFullRecomputation(t *testing.T) {
	t.Parallel()
	w := newWorkload(60, 200, 5, 9, 3, 2)
	s, err := newStream(w)
	if err != nil {
		t.Fatal(err)
	}
	h := make([][]float64, w.nodes)
	for i := range h {
		for _, x := range s.x[i] {
			h[i] = append(h[i], float64(x))
		}
	}
	for l, p := range w.weights.layers {
		next := make([][]float64, w.nodes)
		for i := range next {
			mean, n := make([]float64, p.in), 0.0
			for e := range s.edges {
				if int(w.dst[e]) == i {
					n++
					for k, x := range h[w.src[e]] {
						mean[k] += x
					}
				}
			}
			next[i] = make([]float64, p.out)
			for j := range next[i] {
				y := float64(p.bias[j])
				for k := range p.in {
					y += h[i][k]*float64(p.own[k*p.out+j]) + mean[k]/max(n, 1)*float64(p.mean[k*p.out+j])
				}
				if l == 0 {
					y = max(y, 0)
				}
				next[i][j] = y
			}
		}
		h = next
	}
	got := s.recompute()
	for i, want := range h {
		for j, y := range want {
			if d := math.Abs(y - float64(got[i*len(want)+j])); d > 1e-4 {
				t.Fatalf("node %d: %v, by plain loops %v", i, got[i*len(want)+j], y)
			}
		}
	}
	if d := difference(got, s.embeddings()); d > w.tolerance {
		t.Errorf("the engine's start is %v away", d)
	}
}
