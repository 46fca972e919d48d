package hnsw

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"kilim/annindex/internal/ann"
	"kilim/annindex/internal/dist"
)

// TestConcurrent lets writers insert, move by little and by much, and delete, each its own ids, beside searches and
// snapshots. After each round, when all have stopped, checkInvariants must hold and the graph must hold what the
// writers put.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	const dim, writers, ids, rounds = 24, 3, 200, 2
	g := newGraph(t, Config{Dim: dim, M: 6, EfConstruction: 30, ScanBelow: -1})
	mine := make([]map[uint64][]float32, writers)
	for w := range mine {
		mine[w] = map[uint64][]float32{}
	}
	for round := range rounds {
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for reader := range 2 {
			wg.Go(func() { searchUntil(t, g, stop, uint64(reader), dim) })
		}
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if err := g.Snapshot(io.Discard); err != nil {
						t.Error(err)
					}
				}
			}
		})
		var writing sync.WaitGroup
		for w, vecs := range mine {
			writing.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(round), uint64(w)))
				next := clusters(rng, dim, 5)
				for range 400 {
					id := uint64(w) + writers*rng.Uint64N(ids)
					was, there := vecs[id]
					v := next()
					switch x := rng.IntN(6); {
					case there && x == 0:
						if err := g.Delete(id); err != nil {
							t.Error(err)
						}
						delete(vecs, id)
						continue
					case there && x < 5:
						v = near(rng, was, []float64{0.01, 0.2}[x%2])
					}
					if err := g.Put(id, v); err != nil {
						t.Error(err)
					}
					vecs[id] = v
				}
			})
		}
		writing.Wait()
		close(stop)
		wg.Wait()
		all := map[uint64][]float32{}
		for _, vecs := range mine {
			for id, v := range vecs {
				all[id] = v
			}
		}
		checkInvariants(t, g)
		out := make([]float32, dim)
		for id, v := range all {
			if !g.Vector(id, out) || !slices.Equal(out, v) {
				t.Fatalf("vector %d is %v, want %v", id, out, v)
			}
		}
		rng := rand.New(rand.NewPCG(9, 9))
		if r := recall(t, g, all, draw(func() []float32 { return unit(rng, dim) }, 30), 10, 200); r < 0.95 {
			t.Errorf("round %d: recall %.3f", round, r)
		}
	}
}

// searchUntil searches until stop is closed, and checks what must be true of each answer while writers move vectors:
// its scores are those of unit vectors, each id occurs once, and the order is right.
func searchUntil(t *testing.T, g *Graph, stop chan struct{}, seed uint64, dim int) {
	rng := rand.New(rand.NewPCG(seed, 3))
	odd := func(id uint64) bool { return id%2 == 1 }
	out := make([]float32, dim)
	for {
		select {
		case <-stop:
			return
		default:
		}
		keep := []func(uint64) bool{nil, odd}[rng.IntN(2)]
		hits, err := g.Search(unit(rng, dim), 10, keep)
		if err != nil {
			t.Error(err)
			return
		}
		seen := map[uint64]bool{}
		for i, h := range hits {
			if h.Score > 1.00001 || h.Score < -1.00001 || seen[h.ID] || keep != nil && !keep(h.ID) || i > 0 && hits[i-1].Score < h.Score {
				t.Errorf("answer %d of %v", i, hits)
				return
			}
			seen[h.ID] = true
			if g.Vector(h.ID, out) {
				if n := dist.Dot(out, out); n < 0.9999 || n > 1.0001 {
					t.Errorf("a torn vector: its length is %v", n)
				}
			}
		}
	}
}

// TestFilters expects the exact answer where a filter lets few pass, since Search scans then, and a high recall where
// it lets more pass.
func TestFilters(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	const dim, n = 16, 8000
	next := clusters(rng, dim, 40)
	g := newGraph(t, Config{Dim: dim, M: 8, EfConstruction: 60, Ef: 40})
	vecs := map[uint64][]float32{}
	for id := range uint64(n) {
		put(t, g, vecs, id, next())
	}
	for _, every := range []uint64{1, 2, 5, 50, 1000, n + 1} {
		keep := func(id uint64) bool { return id%every == every-1 }
		kept := map[uint64][]float32{}
		for id, v := range vecs {
			if keep(id) {
				kept[id] = v
			}
		}
		good, all := 0, 0
		for range 25 {
			q := next()
			hits, err := g.Search(q, 10, keep)
			if err != nil {
				t.Fatal(err)
			}
			if want := min(10, len(kept)); len(hits) != want {
				t.Fatalf("one in %d: %d answers, want %d", every, len(hits), want)
			}
			threshold := exact(kept, q, 10)
			for _, h := range hits {
				if !keep(h.ID) {
					t.Fatalf("one in %d: id %d is not allowed", every, h.ID)
				}
				all++
				if h.Score >= threshold-1e-6 {
					good++
				}
			}
		}
		share := float64(good) / float64(max(all, 1))
		if every >= 50 && good != all || share < 0.97 && all > 0 {
			t.Errorf("one in %d: recall %.3f", every, share)
		}
	}
}

// TestSnapshot writes and restores a graph with a history, and expects Restore to refuse files that are torn or have a
// bit flipped.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(6, 6))
	const dim = 33
	g := newGraph(t, Config{Dim: dim, M: 5, EfConstruction: 30, ScanBelow: -1})
	vecs := map[uint64][]float32{}
	next := clusters(rng, dim, 10)
	for id := range uint64(1500) {
		put(t, g, vecs, id, next())
	}
	for id := range uint64(700) {
		if err := g.Delete(id); err != nil {
			t.Fatal(err)
		}
		delete(vecs, id)
	}
	var buf bytes.Buffer
	if err := g.Snapshot(&buf); err != nil {
		t.Fatal(err)
	}
	whole := buf.Bytes()
	back := newGraph(t, Config{Dim: dim, M: 5, EfConstruction: 30, ScanBelow: -1})
	if err := back.Restore(bytes.NewReader(whole)); err != nil {
		t.Fatal(err)
	}
	checkInvariants(t, back)
	if r := recall(t, back, vecs, draw(next, 20), 10, 100); r < 0.97 {
		t.Errorf("recall %.3f", r)
	}
	for n := 0; n < len(whole); n += 4096 {
		torn := whole[:n]
		flipped := slices.Clone(whole)
		flipped[n+rng.IntN(min(4096, len(whole)-n))] ^= 1 << rng.IntN(8)
		for what, data := range map[string][]byte{"torn": torn, "flipped": flipped} {
			if err := back.Restore(bytes.NewReader(data)); !errors.Is(err, ann.ErrSnapshot) {
				t.Fatalf("%s in block %d: %v", what, n/4096, err)
			}
		}
	}
	if err := back.Restore(bytes.NewReader(append(slices.Clone(whole), 0))); !errors.Is(err, ann.ErrSnapshot) {
		t.Fatal("something after the end: not refused")
	}
	var again bytes.Buffer
	if err := back.Snapshot(&again); err != nil || !bytes.Equal(whole, again.Bytes()) {
		t.Fatalf("it came back otherwise, or a refused file changed it: %v", err)
	}
	other := newGraph(t, Config{Dim: dim, M: 8, ScanBelow: -1}) // another M: Restore builds the graph anew
	if err := other.Restore(bytes.NewReader(whole)); err != nil || other.Len() != len(vecs) {
		t.Fatal(err, other.Len())
	}
	checkInvariants(t, other)
	// The restored graph takes changes.
	for id := range uint64(2000) {
		put(t, back, vecs, id, next())
	}
	checkInvariants(t, back)
}

// TestMemoryFollows moves all vectors and expects their slots to be used again, then deletes most and expects the arena
// to shrink.
func TestMemoryFollows(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 7))
	const dim, n = 8, 4000
	g := newGraph(t, Config{Dim: dim, M: 5, EfConstruction: 20, ScanBelow: -1})
	vecs := map[uint64][]float32{}
	next := func() []float32 { return unit(rng, dim) }
	for id := range uint64(n) {
		put(t, g, vecs, id, next())
	}
	full := g.arena.Load().slots
	for range 3 {
		for id := range uint64(n) {
			put(t, g, vecs, id, next())
		}
	}
	if now := g.arena.Load().slots; now > full*3/2 {
		t.Errorf("%d slots for %d vectors that were replaced, %d before", now, n, full)
	}
	for id := range uint64(n - 100) {
		if err := g.Delete(id); err != nil {
			t.Fatal(err)
		}
		delete(vecs, id)
	}
	if now := g.arena.Load().slots; now > 2*minSlots {
		t.Errorf("%d slots for %d vectors", now, g.Len())
	}
	checkInvariants(t, g)
	if r := recall(t, g, vecs, draw(next, 20), 10, 60); r < 0.97 {
		t.Errorf("recall %.3f", r)
	}
}
