package hnsw

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestRot compares the recall of graphs that went through changes of most of their vectors with that of graphs in which
// only what is left was inserted, by searches so short that a worse choice of links shows.
func TestRot(t *testing.T) {
	t.Parallel()
	const n, dim, ef, bound = 2000, 24, 12, 0.002
	cfg := Config{Dim: dim, M: 8, EfConstruction: 60, ScanBelow: -1, Capacity: n}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, g *Graph, vecs map[uint64][]float32, rng *rand.Rand)
	}{
		{"half deleted", func(t *testing.T, g *Graph, vecs map[uint64][]float32, rng *rand.Rand) {
			for _, id := range rng.Perm(n)[:n/2] {
				if err := g.Delete(uint64(id)); err != nil {
					t.Fatal(err)
				}
				delete(vecs, uint64(id))
			}
		}},
		{"all replaced", func(t *testing.T, g *Graph, vecs map[uint64][]float32, rng *rand.Rand) {
			for id := range uint64(n) {
				put(t, g, vecs, id, unit(rng, dim))
			}
		}},
		{"all turned", func(t *testing.T, g *Graph, vecs map[uint64][]float32, rng *rand.Rand) {
			// The tangent of the angle whose cosine is 0.98.
			way := math.Sqrt(1/(0.98*0.98) - 1)
			for id := range uint64(n) {
				put(t, g, vecs, id, near(rng, vecs[id], way))
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(4, 1))
			g, vecs := newGraph(t, cfg), map[uint64][]float32{}
			for id := range uint64(n) {
				put(t, g, vecs, id, unit(rng, dim))
			}
			c.change(t, g, vecs, rng)
			sound(t, g)
			fresh := newGraph(t, cfg)
			for id := range uint64(n) {
				if v, ok := vecs[id]; ok {
					put(t, fresh, map[uint64][]float32{}, id, v)
				}
			}
			queries := draw(func() []float32 { return unit(rng, dim) }, 200)
			got, want := recall(t, g, vecs, queries, 10, ef), recall(t, fresh, vecs, queries, 10, ef)
			t.Logf("recall %.4f, of a fresh graph %.4f", got, want)
			if got < want-bound {
				t.Errorf("recall %.4f, of a fresh graph %.4f", got, want)
			}
		})
	}
}
