package annindex

import (
	"bytes"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/annindex/hnsw"
	"kilim/annindex/internal/ann"
)

func unit(rng *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	var n float64
	for i := range v {
		v[i] = float32(rng.NormFloat64())
		n += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(n))
	}
	return v
}

func each(t *testing.T, fn func(t *testing.T, engine string)) {
	for _, engine := range Engines() {
		t.Run(engine, func(t *testing.T) { t.Parallel(); fn(t, engine) })
	}
}

// TestHistories drives random histories against a map: SearchExact, and Search of flat, must agree with a scan of the
// map in full; Search of the others must return nothing that is dead, filtered, out of order or wrongly scored.
func TestHistories(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		for seed := range uint64(8) {
			rng := rand.New(rand.NewPCG(seed, 1))
			const dim = 9
			ix, err := New(Config{Engine: engine, Dim: dim})
			if err != nil {
				t.Fatal(err)
			}
			oracle := map[uint64][]float32{}
			for range 300 {
				id := rng.Uint64N(40)
				switch rng.IntN(5) {
				case 0:
					_, there := oracle[id]
					err := ix.Delete(id)
					if there != (err == nil) || !there && !errors.Is(err, ErrUnknown) {
						t.Fatalf("seed %d: delete %d (there: %v): %v", seed, id, there, err)
					}
					delete(oracle, id)
				case 1:
					compare(t, engine, ix, oracle, unit(rng, dim), 1+rng.IntN(12))
				default:
					v := unit(rng, dim)
					if err := ix.Put(id, v); err != nil {
						t.Fatal(err)
					}
					oracle[id] = v
				}
				if ix.Len() != len(oracle) {
					t.Fatalf("seed %d: %d vectors, want %d", seed, ix.Len(), len(oracle))
				}
			}
			if ids := slices.Sorted(maps.Keys(oracle)); !slices.Equal(ix.IDs(), ids) {
				t.Fatalf("seed %d: ids %v, want %v", seed, ix.IDs(), ids)
			}
			out := make([]float32, dim)
			for id, v := range oracle {
				if !ix.Vector(id, out) || !slices.Equal(out, v) {
					t.Fatalf("seed %d: vector %d is %v, want %v", seed, id, out, v)
				}
			}
		}
	})
}

func compare(t *testing.T, engine string, ix Index, oracle map[uint64][]float32, q []float32, k int) {
	t.Helper()
	odd := func(id uint64) bool { return id%2 == 1 }
	for name, keep := range map[string]func(uint64) bool{"all": nil, "odd": odd} {
		got, err := ix.Search(q, k, keep)
		if err != nil {
			t.Fatal(err)
		}
		var want []Hit
		for id, v := range oracle {
			if keep == nil || keep(id) {
				want = append(want, Hit{ID: id, Score: Dot(q, v)})
			}
		}
		slices.SortFunc(want, ann.Compare)
		want = want[:min(k, len(want))]
		if engine == "flat" && !slices.Equal(got, want) {
			t.Fatalf("%s: got %v, want %v", name, got, want)
		}
		if exact, err := ix.SearchExact(q, k, keep); err != nil || !slices.Equal(exact, want) {
			t.Fatalf("%s: exactly got %v, %v, want %v", name, exact, err, want)
		}
		for i, h := range got {
			v, ok := oracle[h.ID]
			if !ok || keep != nil && !keep(h.ID) || h.Score != Dot(q, v) || i > 0 && !ann.Better(got[i-1], h) {
				t.Fatalf("%s: answer %d, %+v, is dead, filtered, out of order or wrongly scored", name, i, h)
			}
		}
	}
}

// TestCoresAgree compares a search that is shared among the cores by rows with
// one that is not, on vectors with many ties.
func TestCoresAgree(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(6, 1))
	const dim, n = 3, 5*rowsPerWorker/2 + 7
	ix := newFlat(dim)
	few := make([][]float32, 500)
	for i := range few {
		few[i] = unit(rng, dim)
	}
	for range n {
		if err := ix.Put(rng.Uint64(), few[rng.IntN(len(few))]); err != nil {
			t.Fatal(err)
		}
	}
	third := func(id uint64) bool { return id%3 == 0 }
	for name, keep := range map[string]func(uint64) bool{"all": nil, "third": third} {
		for _, k := range []int{1, 10, 200, n + 1} {
			q := unit(rng, dim)
			got, err := ix.Search(q, k, keep)
			if err != nil {
				t.Fatal(err)
			}
			want := ix.scan([][]float32{q}, k, keep, 0, n)[0].sorted()
			if !slices.Equal(got, want) {
				t.Fatalf("%s, k %d: the answer depends on the number of cores", name, k)
			}
		}
	}
}

// TestScoresAreBitExact expects equal scores of a pair of vectors, whichever is the query and however many queries are
// asked at once.
func TestScoresAreBitExact(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 1))
	for _, dim := range []int{1, 3, 7, 8, 24, 33, 128, 131} {
		ix := newFlat(dim)
		var vecs [][]float32
		for id := range uint64(150) {
			vecs = append(vecs, unit(rng, dim))
			if err := ix.Put(id, vecs[id]); err != nil {
				t.Fatal(err)
			}
		}
		many, err := ix.SearchMany(vecs, 20)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range vecs {
			one, err := ix.Search(v, 20, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(one, many[i]) {
				t.Fatalf("dim %d: query %d alone %v, among others %v", dim, i, one, many[i])
			}
			for _, h := range one {
				if h.Score != Dot(vecs[h.ID], v) {
					t.Fatalf("dim %d: score of %d and %d depends on which is the query", dim, i, h.ID)
				}
			}
		}
	}
}

// TestCosine puts vectors and asks queries of all lengths, and expects the answers that the unit vectors get with the
// metric dot.
func TestCosine(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		const dim, n = 7, 60
		rng := rand.New(rand.NewPCG(11, 1))
		index := func(metric string) Index {
			ix, err := New(Config{Engine: engine, Metric: metric, Dim: dim})
			if err != nil {
				t.Fatal(err)
			}
			return ix
		}
		scaled := func(v []float32, by float32) []float32 {
			out := slices.Clone(v)
			for i := range out {
				out[i] *= by
			}
			return out
		}
		dot, cos, moved := index("dot"), index("cosine"), index("cosine")
		mixed := index("dot")
		for id := range uint64(n) {
			v := unit(rng, dim)
			// A power of two: the unit vector of the scaled one is v again, but for the last bits.
			long := scaled(v, float32(math.Ldexp(1, rng.IntN(80)-40)))
			for ix, v := range map[Index][]float32{dot: v, cos: long, mixed: long} {
				if err := ix.Put(id, v); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := moved.Restore(bytes.NewReader(written(t, mixed))); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			q := unit(rng, dim)
			want, err := dot.SearchExact(q, 10, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, ix := range map[string]Index{"put": cos, "restored": moved} {
				got, err := ix.SearchExact(scaled(q, 1e-3), 10, nil)
				many, errMany := ix.SearchMany([][]float32{scaled(q, 1e9)}, 10)
				one, errOne := ix.Search(scaled(q, 1e9), 10, nil)
				if err != nil || errMany != nil || errOne != nil || engine != "coder" && !slices.Equal(many[0], one) {
					t.Fatalf("%s: many %v, one %v, %v, %v, %v", name, many, one, err, errMany, errOne)
				}
				for i, h := range got {
					if h.ID != want[i].ID || math.Abs(float64(h.Score-want[i].Score)) > 1e-6 {
						t.Fatalf("%s: answer %d is %+v, want %+v", name, i, h, want[i])
					}
				}
			}
		}
	})
	ix, err := New(Config{Engine: "flat", Metric: "cosine", Dim: 2})
	if err != nil {
		t.Fatal(err)
	}
	if ix.Put(1, []float32{0, 0}) == nil || ix.Put(1, []float32{1}) == nil || ix.Len() != 0 {
		t.Error("bad input: no error")
	}
	v, out := []float32{0.6, 0.8}, make([]float32, 2)
	if err := ix.Put(1, v); err != nil || !ix.Vector(1, out) || !slices.Equal(v, out) {
		t.Errorf("a unit vector %v became %v: %v", v, out, err)
	}
}

func TestBadInputChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		ix, err := New(Config{Engine: engine, Dim: 2})
		if err != nil {
			t.Fatal(err)
		}
		if err := ix.Put(1, []float32{1, 0}); err != nil {
			t.Fatal(err)
		}
		nan, inf := float32(math.NaN()), float32(math.Inf(-1))
		for _, bad := range [][]float32{nil, {1}, {1, 2, 3}, {nan, 1}, {1, inf}, {0, 0}, {3e38, 3e38}, {2e19, 0}} {
			if ix.Put(1, bad) == nil || ix.Put(2, bad) == nil {
				t.Errorf("put %v: no error", bad)
			}
			if _, err := ix.Search(bad, 1, nil); err == nil {
				t.Errorf("search %v: no error", bad)
			}
			if _, err := ix.SearchExact(bad, 1, nil); err == nil {
				t.Errorf("search exactly %v: no error", bad)
			}
			if _, err := ix.SearchMany([][]float32{{1, 0}, bad}, 1); err == nil {
				t.Errorf("search many with %v: no error", bad)
			}
		}
		if _, err := ix.Search([]float32{1, 0}, 0, nil); err == nil {
			t.Error("k 0: no error")
		}
		out := make([]float32, 2)
		if !ix.Vector(1, out) || !slices.Equal(out, []float32{1, 0}) || ix.Len() != 1 {
			t.Errorf("a refused vector changed the index: %v, %d vectors", out, ix.Len())
		}
	})
	for _, dim := range []int{0, -1} {
		if _, err := New(Config{Engine: "flat", Dim: dim}); err == nil {
			t.Errorf("dimension %d: no error", dim)
		}
	}
	for _, cfg := range []Config{{Engine: "flatt", Dim: 3}, {Metric: "l2", Dim: 3}, {Dim: 3, Graph: hnsw.Config{M: 1}}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v: no error", cfg)
		}
	}
}

// TestConcurrentSearch runs searches beside a writer. A torn vector would show in its score, a race in the race
// detector.
func TestConcurrentSearch(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		const dim = 16
		ix, _ := New(Config{Engine: engine, Dim: dim})
		done := make(chan error)
		go func() {
			rng := rand.New(rand.NewPCG(1, 1))
			for i := range 600 {
				id := uint64(i % 50)
				if i%7 == 3 && ix.Len() > 20 {
					_ = ix.Delete(id) // it may be gone
				} else if err := ix.Put(id, unit(rng, dim)); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		rng := rand.New(rand.NewPCG(2, 1))
		for {
			select {
			case err := <-done:
				if err != nil {
					t.Fatal(err)
				}
				return
			default:
			}
			hits, err := ix.Search(unit(rng, dim), 5, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range hits {
				// A torn vector would not be of length 1.
				if h.Score > 1.00001 || h.Score < -1.00001 {
					t.Fatalf("score %v of a pair of unit vectors", h.Score)
				}
			}
		}
	})
}
