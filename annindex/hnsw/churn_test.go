package hnsw

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRecallAfterChurn compares the recall of graphs most of whose vectors were deleted or moved with that of fresh
// graphs of the vectors that are left, by searches so short that a worse choice of links shows.
func TestRecallAfterChurn(t *testing.T) {
	t.Parallel()
	const n, dim, ef, bound = 2000, 24, 12, 0.001
	cfg := Config{Dim: dim, M: 8, EfConstruction: 60, ScanBelow: -1, Capacity: n}
	for _, c := range []struct {
		name   string
		draw   func(rng *rand.Rand) func() []float32
		change func(t *testing.T, g *Graph, vecs map[uint64][]float32, rng *rand.Rand)
	}{
		{"half deleted", apart(dim), func(t *testing.T, g *Graph, vecs map[uint64][]float32, rng *rand.Rand) {
			for _, id := range rng.Perm(n)[:n/2] {
				if err := g.Delete(uint64(id)); err != nil {
					t.Fatal(err)
				}
				delete(vecs, uint64(id))
			}
		}},
		{"all replaced", apart(dim), func(t *testing.T, g *Graph, vecs map[uint64][]float32, rng *rand.Rand) {
			for id := range uint64(n) {
				put(t, g, vecs, id, unit(rng, dim))
			}
		}},
		{"all turned", apart(dim), turned(n)},
		// A turn is half as long as the distance to the neighbours here: those that turn first choose among vectors
		// still to turn (neighbourDriftLimit).
		{"all in clusters turned", func(rng *rand.Rand) func() []float32 { return clusters(rng, dim, 20) }, turned(n)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(4, 1))
			g, vecs := newGraph(t, cfg), map[uint64][]float32{}
			next := c.draw(rng)
			for id := range uint64(n) {
				put(t, g, vecs, id, next())
			}
			c.change(t, g, vecs, rng)
			checkInvariants(t, g)
			fresh := newGraph(t, cfg)
			for id := range uint64(n) {
				if v, ok := vecs[id]; ok {
					put(t, fresh, map[uint64][]float32{}, id, v)
				}
			}
			queries := draw(next, 200)
			got, want := recall(t, g, vecs, queries, 10, ef), recall(t, fresh, vecs, queries, 10, ef)
			t.Logf("recall %.4f, of a fresh graph %.4f", got, want)
			if got < want-bound {
				t.Errorf("recall %.4f, of a fresh graph %.4f", got, want)
			}
		})
	}
}

// apart returns a function that draws unit vectors of all directions.
func apart(dim int) func(*rand.Rand) func() []float32 {
	return func(rng *rand.Rand) func() []float32 { return func() []float32 { return unit(rng, dim) } }
}

// turned returns a function that turns the vectors of n ids to a cosine of 0.98 with what they were.
func turned(n int) func(*testing.T, *Graph, map[uint64][]float32, *rand.Rand) {
	return func(t *testing.T, g *Graph, vecs map[uint64][]float32, rng *rand.Rand) {
		// The tangent of the angle whose cosine is 0.98.
		length := math.Sqrt(1/(0.98*0.98) - 1)
		for id := range uint64(n) {
			put(t, g, vecs, id, near(rng, vecs[id], length))
		}
	}
}

// TestVectorsStayReachable turns all vectors many times, and searches for each vector itself (keepReachable): the
// recall of queries in the midst of clusters does not tell whether searches come near to a vector at all.
func TestVectorsStayReachable(t *testing.T) {
	t.Parallel()
	const n, dim, rounds, ef, bound = 4000, 32, 24, 64, 0.002
	rng := rand.New(rand.NewPCG(8, 1))
	g, vecs := newGraph(t, Config{Dim: dim, M: 6, EfConstruction: 60, ScanBelow: -1, Capacity: n}), map[uint64][]float32{}
	centres := draw(func() []float32 { return unit(rng, dim) }, 40)
	for id := range uint64(n) {
		put(t, g, vecs, id, near(rng, centres[rng.IntN(len(centres))], 0.2))
	}
	turn := turned(n)
	for range rounds {
		turn(t, g, vecs, rng)
	}
	checkInvariants(t, g)
	if lost := 1 - recall(t, g, vecs, slices.Collect(maps.Values(vecs)), 1, ef); lost > bound {
		t.Errorf("%.4f of the vectors are not found by a search for themselves, at most %.4f may be", lost, bound)
	}
}
