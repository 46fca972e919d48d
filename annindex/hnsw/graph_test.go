package hnsw

import (
	"math/rand/v2"
	"testing"
)

func newGraph(t *testing.T, cfg Config) *Graph {
	t.Helper()
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func put(t *testing.T, g *Graph, vecs map[uint64][]float32, id uint64, v []float32) {
	t.Helper()
	if err := g.Put(id, v); err != nil {
		t.Fatal(err)
	}
	vecs[id] = v
}

func draw(draw func() []float32, n int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = draw()
	}
	return out
}

// TestRecall compares searches with the exact answers, in several dimensions, on vectors in clusters.
func TestRecall(t *testing.T) {
	t.Parallel()
	for _, dim := range []int{7, 32, 131} {
		rng := rand.New(rand.NewPCG(1, uint64(dim)))
		next := clusters(rng, dim, 30)
		g := newGraph(t, Config{Dim: dim, ScanBelow: -1})
		vecs := map[uint64][]float32{}
		for id := range uint64(3000) {
			put(t, g, vecs, id, next())
		}
		checkInvariants(t, g)
		queries := draw(next, 60)
		if r := recall(t, g, vecs, queries, 10, 96); r < 0.99 {
			t.Errorf("dimension %d: recall %.3f", dim, r)
		}
	}
}

// TestHistories drives random histories, in which vectors come, go and move by little and by much, against a map.
// Searches only walk, never scan. checkInvariants must hold, and at the end searches must find nearly all.
func TestHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 2))
		const dim = 12
		ids := []uint64{3, 60, 900}[seed%3]
		next := clusters(rng, dim, 10)
		g := newGraph(t, Config{Dim: dim, M: 4 + int(seed), EfConstruction: 40, ScanBelow: -1, Seed: seed})
		vecs := map[uint64][]float32{}
		for step := range 6000 {
			id := rng.Uint64N(ids)
			was, there := vecs[id]
			shrinking := step/1000%2 == 1
			switch x := rng.IntN(10); {
			case there && (x < 3 || shrinking && x < 8):
				if err := g.Delete(id); err != nil {
					t.Fatal(err)
				}
				delete(vecs, id)
			case there && x < 9:
				put(t, g, vecs, id, near(rng, was, []float64{0.001, 0.1, 0.5}[x%3]))
			case !shrinking:
				put(t, g, vecs, id, next())
			}
			if g.Len() != len(vecs) {
				t.Fatalf("seed %d: %d vectors, want %d", seed, g.Len(), len(vecs))
			}
			if step%500 == 0 {
				checkInvariants(t, g)
			}
		}
		checkInvariants(t, g)
		if len(vecs) == 0 {
			continue
		}
		if r := recall(t, g, vecs, draw(next, 50), min(10, len(vecs)), 200); r < 0.97 {
			t.Errorf("seed %d: recall %.3f of %d", seed, r, len(vecs))
		}
	}
}
