package topk

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"kilim/rerank"
)

// some is evidence of any size, with numbers that tell whose it is.
func some(rng *rand.Rand, node uint64) *rerank.Evidence {
	e := &rerank.Evidence{ID: "some", Node: node, Begin: float64(rng.IntN(1000)), End: float64(1000 + rng.IntN(1000))}
	mark := rng.Uint32()
	for i := range rng.IntN(1 << rng.IntN(15)) {
		e.Words = append(e.Words, rerank.Word{Bucket: mark/2 + uint32(i), Count: uint16(mark)})
	}
	for i := range rng.IntN(30) {
		e.Entities = append(e.Entities, uint64(mark)<<20+uint64(i))
	}
	return e
}

func alike(a, b *rerank.Evidence) bool {
	return a.ID == b.ID && a.Node == b.Node && a.Begin == b.Begin && a.End == b.End && slices.Equal(a.Words, b.Words) &&
		slices.Equal(a.Entities, b.Entities) && slices.Equal(a.Links, b.Links)
}

// TestCacheAgainstMap drives puts, removals and bounds against a map: what is kept is what was put last, what it
// takes is counted, and the bounds hold when a unit begins.
func TestCacheAgainstMap(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 31))
		most, mostBytes := 1+rng.IntN(90), 1<<(16+rng.IntN(8))
		c, other := newCache(most, mostBytes, 0), newCache(0, 0, 0)
		put := map[uint64]*rerank.Evidence{}
		met := 0
		for range 2000 {
			node := rng.Uint64N(100)
			switch rng.IntN(8) {
			case 0:
				c.forget(node)
				delete(put, node)
			case 1:
				if rng.IntN(10) == 0 {
					c.bound()
					if len(c.slots) > most || c.bytes() > mostBytes {
						t.Fatalf("seed %d: %d kept in %d bytes, at most %d in %d are allowed", seed, len(c.slots), c.bytes(), most, mostBytes)
					}
				}
			case 2, 3:
				put[node] = some(rng, node)
				c.put(node, put[node])
				other.bound()
				c.setLeast(node, least{float32(node)})
			default:
				k := c.get(node)
				if k == nil {
					break
				}
				met++
				if want := put[node]; want == nil || !alike(k.Evidence(), want) || !alike(c.evidence(node), want) || k.least[0] != float32(node) {
					t.Fatalf("seed %d: kept of %d is %+v, least %v, want %+v", seed, node, k.Evidence(), k.least, want)
				}
				if got := c.copyTo(other, node); !alike(got.Evidence(), put[node]) || got.least != anybody() {
					t.Fatalf("seed %d: the copy of %d is %+v, want %+v", seed, node, got.Evidence(), put[node])
				}
			}
			live, numbers := 0, 0
			for _, s := range c.segments {
				live += s.live
				numbers += s.size
			}
			if live != len(c.slots) || numbers != c.numbers || len(c.free)+len(c.slots) != recordsAtOnce*len(c.records) {
				t.Fatalf("seed %d: %d kept, %d in segments of %d numbers, of which %d are counted; %d free of %d records",
					seed, len(c.slots), live, numbers, c.numbers, len(c.free), recordsAtOnce*len(c.records))
			}
		}
		if met < 50 {
			t.Errorf("seed %d: met %d artifacts: too few to tell anything", seed, met)
		}
	}
	// Beside its record an artifact takes its id, its slot, a place in its segment's nodes, and what the map leaves free.
	if record := int(unsafe.Sizeof(kept{})); record+16+3*16+8 > recordBytes {
		t.Errorf("a record of %d bytes is counted as %d with all that belongs to it", record, recordBytes)
	}
}

// TestCacheIsReadBesideAUnit copies from a cache that is written, weighed and bounded meanwhile.
func TestCacheIsReadBesideAUnit(t *testing.T) {
	t.Parallel()
	c := newCache(50, 1<<20, 0)
	rng := rand.New(rand.NewPCG(1, 37))
	all := make([]*rerank.Evidence, 100)
	for i := range all {
		all[i] = some(rng, uint64(i))
	}
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			copies := newCache(0, 0, 0)
			for i := range 5000 {
				copies.bound()
				node := uint64(i % len(all))
				if k := c.copyTo(copies, node); k != nil && !alike(k.Evidence(), all[node]) {
					t.Errorf("the copy of %d is %+v", node, k.Evidence())
				}
				if e := c.evidence(node); e != nil && !alike(e, all[node]) {
					t.Errorf("the evidence of %d is %+v", node, e)
				}
			}
		})
	}
	for range 2000 {
		node := rng.Uint64N(100)
		k := c.put(node, all[node])
		k.Weigh(constant(1 + rng.Float32()))
		k.at = rng.Float64()
		c.setLeast(node, least{rng.Float32()})
		if rng.IntN(100) == 0 {
			c.bound()
		}
	}
	readers.Wait()
}

// constant weighs everything the same.
type constant float32

func (c constant) EntityIDF(uint64) float32 { return float32(c) }
func (c constant) WordIDF(uint32) float32   { return float32(c) }

// TestFreshness weighs anew what the archive has left behind.
func TestFreshness(t *testing.T) {
	t.Parallel()
	c := newCache(1, 1<<20, 2)
	k := c.put(1, &rerank.Evidence{})
	if c.fresh(k, 0) || !math.IsNaN(k.at) {
		t.Error("what was never weighed is fresh")
	}
	k.at = 5
	for now, want := range map[float64]bool{5: true, 5.1: true, 5.3: false} {
		if c.fresh(k, now) != want {
			t.Errorf("weighed at 5, with a tolerance of 0.2, at %v: fresh is %v", now, !want)
		}
	}
}

// TestNothingIsAllocatedForACandidate scores the candidates of an artifact, and offers it to lists that it does not get into: with
// many candidates as many allocations as with few.
func TestNothingIsAllocatedForACandidate(t *testing.T) {
	cfg := testConfig()
	cfg.Cached = 1000
	allocations := func(n int) (scoring, offering float64) {
		rng := rand.New(rand.NewPCG(2, 41))
		a := newArchive(t, cfg)
		p := a.begin()
		p.weights = newWeights(a.memory, a.memory)
		s := &search{l: a.lists, g: a.memory, limit: n, weighed: func(node uint64) (*kept, error) { return p.weighed(node, a.now) }}
		f := &found{}
		for i := range uint64(n + 1) {
			c := invent(rng, firstArtifact+i, "a", 1)
			a.evidence[firstArtifact+i] = c.evidence
			k, err := s.weighed(firstArtifact + i)
			a.must(err)
			if i == 0 {
				f.Query, f.kept = Query{Node: firstArtifact, Evidence: c.evidence, Vector: c.vector}, k
				continue
			}
			k.least = least{2, 2} // higher than any score
			f.candidates = append(f.candidates, candidate{node: firstArtifact + i, cosine: rng.Float32()})
		}
		r := &reverse{p: p}
		scoring = testing.AllocsPerRun(50, func() { a.must(s.stage2([]*found{f})) })
		offering = testing.AllocsPerRun(50, func() { a.must(r.update(f)) })
		return scoring, offering
	}
	few, fewOffered := allocations(10)
	many, manyOffered := allocations(200)
	if many > few+1 || manyOffered > fewOffered { // the pool of comparisons is emptied now and then
		t.Errorf("%v and %v allocations for 200 candidates, %v and %v for 10", many, manyOffered, few, fewOffered)
	}
}
