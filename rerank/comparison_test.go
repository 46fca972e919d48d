package rerank

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// merging is the obvious scorer, which Comparison must equal bit for bit: it weighs evidence into slices and merges sorted
// lists, a pair at a time.
type merging struct {
	w     ScoreWeights
	table Weights
}

func (m merging) score(a, b *Evidence, cosine float32) (float32, Parts) {
	p := Parts{
		Cosine:   clamp(cosine, -1),
		Entities: clamp(merge(a.Entities, m.entities(a), b.Entities, m.entities(b)), 0),
		Words:    clamp(merge(bucketsOf(a), m.words(a), bucketsOf(b), m.words(b)), 0),
		Date:     m.date(a, b),
	}
	if slices.Contains(a.Links, b.Node) || slices.Contains(b.Links, a.Node) {
		p.Link = 1
	}
	total := m.w.Cosine * p.Cosine
	total += m.w.Entities * p.Entities
	total += m.w.Words * p.Words
	total += m.w.Date * p.Date
	total += m.w.Link * p.Link
	return total, p
}

func bucketsOf(e *Evidence) (out []uint32) {
	for _, w := range e.Words {
		out = append(out, w.Bucket)
	}
	return out
}

func (m merging) entities(e *Evidence) (out []float32) {
	for _, n := range e.Entities {
		out = append(out, m.table.EntityIDF(n))
	}
	return unit(out)
}

func (m merging) words(e *Evidence) (out []float32) {
	for _, w := range e.Words {
		tf := float32(0)
		if w.Count > 0 {
			tf = float32(1 + math.Log(float64(w.Count)))
		}
		out = append(out, tf*m.table.WordIDF(w.Bucket))
	}
	return unit(out)
}

func unit(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return v
	}
	f := 1 / math.Sqrt(sum)
	for i := range v {
		v[i] = float32(float64(v[i]) * f)
	}
	return v
}

func merge[K uint32 | uint64](ak []K, aw []float32, bk []K, bw []float32) (sum float32) {
	for i, j := 0, 0; i < len(ak) && j < len(bk); {
		switch {
		case ak[i] < bk[j]:
			i++
		case ak[i] > bk[j]:
			j++
		default:
			sum += float32(aw[i] * bw[j])
			i, j = i+1, j+1
		}
	}
	return sum
}

func (m merging) date(a, b *Evidence) float32 {
	interval := func(e *Evidence) (float64, float64) {
		begin, end := e.Begin, e.End
		if math.IsNaN(begin) {
			begin = end
		}
		if math.IsNaN(end) {
			end = begin
		}
		return min(begin, end), max(begin, end)
	}
	ab, ae := interval(a)
	bb, be := interval(b)
	gap := max(ab, bb) - min(ae, be)
	date := math.Exp(-max(gap, 0)/float64(m.w.DateScale)) / (1 + ((ae-ab)+(be-bb))/(2*float64(m.w.DateScale)))
	if math.IsNaN(date) {
		return 0
	}
	return float32(date)
}

// extreme makes evidence of any size from few keys, so that much is shared, and from keys that have the same lowest
// bits, so that tables have to tell them apart.
func extreme(rng *rand.Rand) *Evidence {
	sizes := []int{0, 0, 1, 2, 10, 100, 127, 128, 129, 1000}
	e := &Evidence{Node: rng.Uint64N(4) << (rng.IntN(2) * 32), Begin: math.NaN(), End: math.NaN()}
	nodes := func() (out []uint64) {
		for range sizes[rng.IntN(len(sizes))] {
			n := rng.Uint64N(300) << (rng.IntN(5) * 14)
			if rng.IntN(50) == 0 {
				n = math.MaxUint64
			}
			out = append(out, n)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	e.Entities, e.Links = nodes(), nodes()
	for range sizes[rng.IntN(len(sizes))] {
		b := rng.Uint32N(300) << (rng.IntN(3) * 11)
		if rng.IntN(50) == 0 {
			b = math.MaxUint32
		}
		e.Words = append(e.Words, Word{Bucket: b, Count: []uint16{0, 1, 2, 63, 64, math.MaxUint16}[rng.IntN(6)]})
	}
	slices.SortFunc(e.Words, func(a, b Word) int { return int(int64(a.Bucket) - int64(b.Bucket)) })
	e.Words = slices.CompactFunc(e.Words, func(a, b Word) bool { return a.Bucket == b.Bucket })
	year := func() float64 {
		return []float64{math.NaN(), 0, 1650, -3000, 1e9, float64(rng.IntN(2000)), 2000 * rng.Float64(), 1e300, math.Inf(1)}[rng.IntN(9)]
	}
	e.Begin, e.End = year(), year()
	return e
}

// uneven weighs keys from nothing to very much.
type uneven struct{ seed uint64 }

func (u uneven) EntityIDF(n uint64) float32 { return u.of(n) }
func (u uneven) WordIDF(b uint32) float32   { return u.of(uint64(b)) }

func (u uneven) of(n uint64) float32 {
	rng := rand.New(rand.NewPCG(n, u.seed))
	return []float32{0, math.SmallestNonzeroFloat32, 1e-30, 1, 1e30, 1 + 9*rng.Float32()}[rng.IntN(6)]
}

// TestComparisonEqualsMerging uses one Comparison for all, so that what one artifact leaves in it would show in the next.
func TestComparisonEqualsMerging(t *testing.T) {
	t.Parallel()
	var c Comparison
	shared := 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var table Weights = uneven{seed}
		if seed%2 == 0 {
			table = randomTable(rng, 30, 10)
		}
		w := ScoreWeights{rng.Float32(), rng.Float32(), rng.Float32(), rng.Float32(), rng.Float32(), 1 + 100*rng.Float32()}
		s, err := NewScorer(w)
		if err != nil {
			t.Fatal(err)
		}
		var all []*Evidence
		for range 30 {
			e := extreme(rng)
			if rng.IntN(3) == 0 {
				e = random(rng, 30, 10)
			}
			all = append(all, e)
		}
		for _, a := range all {
			c.Begin(s, Prepare(a, table))
			for _, b := range all {
				cosine := []float32{2*rng.Float32() - 1, -1, 1, 1.5, float32(math.NaN())}[rng.IntN(5)]
				total, parts := c.Score(Prepare(b, table), cosine)
				want, wantParts := merging{w, table}.score(a, b, cosine)
				if math.Float32bits(total) != math.Float32bits(want) || parts != wantParts {
					t.Fatalf("seed %d: %v %+v, want %v %+v\n%+v\n%+v", seed, total, parts, want, wantParts, a, b)
				}
				if parts.Words > 0 && parts.Entities > 0 {
					shared++
				}
			}
		}
	}
	if shared < 1000 {
		t.Errorf("%d pairs share words and entities: too few to tell anything", shared)
	}
}

// TestLayKeepsTheEvidence reads back what was laid out in the middle of a longer run, and what was copied from it.
func TestLayKeepsTheEvidence(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	memory := make([]uint32, 1<<15)
	for i := range memory {
		memory[i] = rng.Uint32()
	}
	table := uneven{9}
	for range 500 {
		e := extreme(rng)
		p := Lay(e, memory[rng.IntN(1000):])
		p.Weigh(table)
		copied := p.Copy(make([]uint32, p.Numbers()))
		copied.Weigh(table)
		back := p.Evidence()
		for what, other := range map[string]*Prepared{"a copy": &copied, "what is prepared apart": Prepare(e, table), "what is read back": Prepare(back, table)} {
			if fmt.Sprint(*other) != fmt.Sprint(p) {
				t.Fatalf("%+v is\n%+v, %s\n%+v", e, p, what, *other)
			}
		}
		if !slices.Equal(back.Entities, e.Entities) || !slices.Equal(back.Links, e.Links) || !slices.Equal(back.Words, e.Words) || back.Node != e.Node {
			t.Fatalf("%+v came back as %+v", e, back)
		}
	}
}

// TestNothingIsAllocated scores, and takes up artifacts, in memory that is there.
func TestNothingIsAllocated(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	s, table := newScorer(t), randomTable(rng, 40, 12)
	var ps []*Prepared
	for range 8 {
		ps = append(ps, Prepare(random(rng, 40, 12), table))
	}
	var c Comparison
	c.Begin(s, ps[0])
	if n := testing.AllocsPerRun(100, func() {
		c.Begin(s, ps[1])
		for _, p := range ps {
			c.Score(p, 0.5)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkScore(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 3))
	s, w := newScorer(b), randomTable(rng, 40, 12)
	var ps []*Prepared
	for range 64 {
		ps = append(ps, Prepare(random(rng, 40, 12), w))
	}
	var c Comparison
	c.Begin(s, ps[0])
	for i := 0; b.Loop(); i++ {
		c.Score(ps[(i*7+1)&63], 0.5)
	}
}
