package topk

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
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
		limit := 1 << (16 + rng.IntN(8))
		c, other := newCache(limit, 0), newCache(math.MaxInt, 0)
		put := map[uint64]*rerank.Evidence{}
		begun := map[uint64]*kept{} // of what was kept when the unit began, all but what was put or forgotten since
		met := 0
		for range 2000 {
			node := rng.Uint64N(100)
			switch rng.IntN(8) {
			case 0:
				c.forget(node)
				delete(put, node)
				delete(begun, node)
			case 1:
				if rng.IntN(4) == 0 {
					c.begin()
					begun = maps.Clone(c.by)
				} else if rng.IntN(2) == 0 {
					c.bound()
				} else {
					break
				}
				if c.bytes > limit {
					t.Fatalf("seed %d: %d kept in %d bytes, at most %d are allowed", seed, len(c.by), c.bytes, limit)
				}
				for node, k := range begun {
					if c.get(node) != k {
						t.Fatalf("seed %d: %d, which was kept when the unit began, is given up before the next begins", seed, node)
					}
				}
			case 2, 3:
				put[node] = some(rng, node)
				c.put(node, put[node])
				delete(begun, node)
				other = newCache(math.MaxInt, 0)
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
			live, bytes := 0, 0
			for _, s := range c.segments {
				live += s.live
				bytes += s.bytes
			}
			if live != len(c.by) || bytes != c.bytes {
				t.Fatalf("seed %d: %d kept, %d in segments of %d bytes, of which %d are counted", seed, len(c.by), live, bytes, c.bytes)
			}
		}
		if met < 50 {
			t.Errorf("seed %d: met %d artifacts: too few to tell anything", seed, met)
		}
	}
}

// TestPreparedIsBoundedByBytes puts evidence of any size, as records bring it, and counts what is held by what was made for it: when
// a unit begins, and between its queries.
func TestPreparedIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	if record := int(unsafe.Sizeof(kept{})); record > recordBytes {
		t.Errorf("a record of %d bytes is counted as %d", record, recordBytes)
	}
	for _, most := range []int{1, 40, 1 << 15} { // words
		const limit = 1 << 20
		rng := rand.New(rand.NewPCG(2, uint64(most)))
		c := newCache(limit, 1)
		several := 0
		for range 5000 {
			node := rng.Uint64N(20_000)
			switch rng.IntN(10) {
			case 0:
				c.forget(node)
				c.bound()
			case 1:
				c.begin()
			case 2:
				c.bound()
			default:
				c.bound()
				id := strings.Repeat("i", rng.IntN(1025))
				e := &rerank.Evidence{ID: id, Words: make([]rerank.Word, rng.IntN(1+rng.IntN(most)))}
				if k := c.put(node, e); k.ID != id || k.Numbers() != e.Numbers() || c.get(node) != k {
					t.Fatalf("kept of %d is %+v", node, k)
				}
				continue // what was put last may exceed the limit, until room is made
			}
			bytes, records := 0, map[*kept]bool{}
			for _, s := range c.segments {
				bytes += 4*(len(s.numbers)) + int(unsafe.Sizeof(kept{}))*cap(s.records) + 8*cap(s.nodes)
			}
			for _, k := range c.by {
				bytes += len(k.ID) + 4*k.Numbers()
				if records[k] {
					t.Fatal("two artifacts have one record")
				}
				records[k] = true
			}
			if bytes > c.bytes || c.bytes > limit {
				t.Fatalf("%d bytes are kept, counted as %d, the limit is %d", bytes, c.bytes, limit)
			}
			several = max(several, len(c.by))
		}
		if several < 20 {
			t.Errorf("at most %d are kept", several)
		}
	}
}

// TestCacheIsBoundedByBytes puts rows of any size into their cache, and looks at what is kept after each step.
func TestCacheIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	const limit = 100_000
	rng := rand.New(rand.NewPCG(1, 1))
	c := newRowCache(limit)
	last := map[uint64]*Row{}
	for range 5000 {
		node := rng.Uint64N(50)
		switch rng.IntN(4) {
		case 0:
			c.remove(node)
			delete(last, node)
		case 1:
			if r, ok := c.get(node); ok && r != last[node] {
				t.Fatal("get returns another value than was put last")
			}
		default:
			r := &Row{Lists: rerank.Lists{{Name: "total", Entries: make([]rerank.Entry, rng.IntN(1<<rng.IntN(12)))}}}
			c.put(node, r)
			last[node] = r
			if kept, ok := c.get(node); ok != (rowBytes(r) <= limit) || ok && kept != r {
				t.Fatalf("of %d bytes it is kept: %t", rowBytes(r), ok)
			}
		}
		bytes := 0
		for _, node := range c.lru.Keys() {
			r, _ := c.lru.Peek(node)
			bytes += rowBytes(r)
		}
		if bytes != c.bytes || bytes > limit {
			t.Fatalf("%d bytes are kept, counted as %d, the limit is %d", bytes, c.bytes, limit)
		}
	}
	if c.lru.Len() == 0 {
		t.Error("nothing is kept")
	}
}

// TestBytesOfRows: what a row takes grows with its lists and the ids in them.
func TestBytesOfRows(t *testing.T) {
	t.Parallel()
	row := &Row{Lists: rerank.Lists{{Name: "total", Entries: make([]rerank.Entry, 200)}}}
	short := rowBytes(row)
	for i := range row.Lists[0].Entries {
		row.Lists[0].Entries[i].ID = strings.Repeat("i", 1024)
	}
	if long := rowBytes(row); short < 200*int(unsafe.Sizeof(rerank.Entry{})) || long != short+200*1024 {
		t.Errorf("%d and %d bytes", short, long)
	}
}

// TestCacheIsReadBesideAUnit copies from a cache that is written, weighed and bounded meanwhile.
func TestCacheIsReadBesideAUnit(t *testing.T) {
	t.Parallel()
	c := newCache(1<<20, 0)
	rng := rand.New(rand.NewPCG(1, 37))
	all := make([]*rerank.Evidence, 100)
	for i := range all {
		all[i] = some(rng, uint64(i))
	}
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			copies := newCache(math.MaxInt, 0)
			for i := range 5000 {
				if i%100 == 0 {
					copies = newCache(math.MaxInt, 0)
				}
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
		if rng.IntN(20) == 0 {
			c.bound()
		}
		if rng.IntN(100) == 0 {
			c.begin()
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
	c := newCache(1<<20, 2)
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
	cfg.CacheBytes = 1 << 24
	allocations := func(n int) (scoring, offering float64) {
		rng := rand.New(rand.NewPCG(2, 41))
		a := newArchive(t, cfg)
		p := a.begin()
		p.weights = newWeights(a.memory, a.memory)
		s := &search{l: a.lists, g: a.memory, limit: n, weighed: func(node uint64) (*kept, error) { return p.weighed(node, nil, a.now) }}
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

// watched tells of each evidence that is read.
type watched struct {
	*memory
	read func()
}

func (w watched) Evidence(node uint64) (*rerank.Evidence, error) {
	w.read()
	return w.memory.Evidence(node)
}

// TestPassHoldsFewCandidates computes the lists of a whole archive in one pass, with room for a part of its evidence: no more is held
// than there is room for, and what a few queries need at once.
func TestPassHoldsFewCandidates(t *testing.T) {
	t.Parallel()
	const words = 500
	cfg := testConfig()
	cfg.Candidates, cfg.CacheBytes = 2, 400_000
	few := 4 * runtime.GOMAXPROCS(0) * (1 + 2*cfg.Candidates)
	most := cfg.CacheBytes/2 + few*(recordBytes+nodeBytes+numberBytes*(3*words+100))
	m := newMemory()
	m.steady = true // to weigh a word is quick
	a := newArchiveOf(t, cfg, m, rerank.DefaultScoreWeights())
	a.mode = Backfill
	rng := rand.New(rand.NewPCG(3, 43))
	var changes []change
	for i := range 4 * few {
		c := a.invent(rng, fmt.Sprintf("a%d", i), 4*few)
		c.evidence.Words = nil
		for bucket := range uint32(words) {
			c.evidence.Words = append(c.evidence.Words, rerank.Word{Bucket: 7 * bucket, Count: 1})
		}
		changes = append(changes, c)
	}
	a.apply(changes, 0)
	if n := a.lists.cache.bytes; n > cfg.CacheBytes/2+10_000 {
		t.Errorf("%d bytes are held of what has arrived", n)
	}
	a.lists = a.open() // with nothing in its caches
	held, reads := 0, 0
	p := a.lists.Begin(watched{a.memory, func() {
		held = max(held, a.lists.cache.bytes)
		reads++
	}}, Unit{Mode: Standby, Revision: a.revision + 1})
	a.must(p.Recompute(a.now, sorted(a.artifacts)))
	if all := 4 * few * numberBytes * 2 * words; held > most || reads < 4*few || all < most {
		t.Errorf("%d bytes are held after up to %d reads, want at most %d; all there is takes %d", held, reads, most, all)
	}
}
