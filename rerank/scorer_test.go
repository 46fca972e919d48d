package rerank

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// table is Weights from maps; what is not in them weighs 1.
type table struct {
	entities map[uint64]float32
	words    map[uint32]float32
}

func (t table) EntityIDF(n uint64) float32 {
	if v, ok := t.entities[n]; ok {
		return v
	}
	return 1
}

func (t table) WordIDF(b uint32) float32 {
	if v, ok := t.words[b]; ok {
		return v
	}
	return 1
}

func random(rng *rand.Rand, words, entities int) *Evidence {
	e := &Evidence{ID: string(rune('a' + rng.IntN(26))), Node: rng.Uint64N(40), Begin: math.NaN(), End: math.NaN()}
	for b := range uint32(3 * words) {
		if rng.IntN(3) == 0 {
			e.Words = append(e.Words, Word{Bucket: b * 7, Count: uint16(1 + rng.IntN(4))})
		}
	}
	for n := range uint64(3 * entities) {
		if rng.IntN(3) == 0 {
			e.Entities = append(e.Entities, n*1_000_003)
		}
	}
	for n := range uint64(40) {
		if rng.IntN(20) == 0 {
			e.Links = append(e.Links, n)
		}
	}
	if rng.IntN(4) > 0 {
		e.Begin = float64(rng.IntN(800))
	}
	if rng.IntN(4) > 0 {
		e.End = e.Begin + float64(rng.IntN(100))
	}
	return e
}

func randomTable(rng *rand.Rand, words, entities int) table {
	t := table{map[uint64]float32{}, map[uint32]float32{}}
	for b := range uint32(3 * words) {
		t.words[b*7] = 1 + 5*rng.Float32()
	}
	for n := range uint64(3 * entities) {
		t.entities[n*1_000_003] = 1 + 5*rng.Float32()
	}
	return t
}

// dull computes the entity and word parts from the definitions, with maps and in float64.
func dull(a, b *Evidence, w Weights) (entities, words float64) {
	cosine := func(x, y map[uint64]float64) float64 {
		var dot, nx, ny float64
		for k, v := range x {
			dot += v * y[k]
			nx += v * v
		}
		for _, v := range y {
			ny += v * v
		}
		if dot == 0 {
			return 0
		}
		return dot / math.Sqrt(nx*ny)
	}
	ents := func(e *Evidence) map[uint64]float64 {
		m := map[uint64]float64{}
		for _, n := range e.Entities {
			m[n] = float64(w.EntityIDF(n))
		}
		return m
	}
	tfidf := func(e *Evidence) map[uint64]float64 {
		m := map[uint64]float64{}
		for _, t := range e.Words {
			m[uint64(t.Bucket)] = (1 + math.Log(float64(t.Count))) * float64(w.WordIDF(t.Bucket))
		}
		return m
	}
	return cosine(ents(a), ents(b)), cosine(tfidf(a), tfidf(b))
}

func newScorer(t testing.TB) *Scorer {
	t.Helper()
	s, err := NewScorer(DefaultScoreWeights())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScoreAgainstDullModel(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	s, d := newScorer(t), DefaultScoreWeights()
	for range 2000 {
		w := randomTable(rng, 20, 8)
		a, b := random(rng, 20, 8), random(rng, 20, 8)
		cosine := 2*rng.Float32() - 1
		total, p := s.Score(a, b, cosine, w)
		entities, words := dull(a, b, w)
		if math.Abs(float64(p.Entities)-entities) > 1e-5 || math.Abs(float64(p.Words)-words) > 1e-5 || p.Cosine != cosine {
			t.Fatalf("parts %+v, want entities %v, words %v, cosine %v", p, entities, words, cosine)
		}
		linked := slices.Contains(a.Links, b.Node) || slices.Contains(b.Links, a.Node)
		if (p.Link == 1) != linked || p.Link != 0 && p.Link != 1 {
			t.Fatalf("link %v, want it to tell %v", p.Link, linked)
		}
		if p.Date < 0 || p.Date > 1 || p.Entities > 1 || p.Words > 1 {
			t.Fatalf("parts %+v out of [0, 1]", p)
		}
		want := float64(d.Cosine*cosine) + float64(d.Entities)*entities + float64(d.Words)*words +
			float64(d.Date*p.Date) + float64(d.Link*p.Link)
		if math.Abs(float64(total)-want) > 1e-5 {
			t.Fatalf("total %v, want %v", total, want)
		}
		back, q := s.Score(b, a, cosine, w)
		if math.Float32bits(back) != math.Float32bits(total) || q != p {
			t.Fatalf("not symmetric: %v %+v and %v %+v", total, p, back, q)
		}
	}
}

func TestScoreOfEqualsIsOne(t *testing.T) {
	t.Parallel()
	e := &Evidence{Node: 1, Entities: []uint64{3, 9}, Words: []Word{{1, 2}, {5, 1}}, Links: []uint64{1}, Begin: 1650, End: 1650}
	total, p := newScorer(t).Score(e, e, 1.0000001, table{})
	if total > 1 || total < 1-1e-6 || p.Cosine != 1 {
		t.Errorf("score of an artifact with itself: %v %+v, want 1", total, p)
	}
}

func TestScoreOfNothing(t *testing.T) {
	t.Parallel()
	nothing := &Evidence{Begin: math.NaN(), End: math.NaN()}
	for _, cosine := range []float32{0, float32(math.NaN())} {
		if total, p := newScorer(t).Score(nothing, nothing, cosine, table{}); total != 0 || p != (Parts{}) {
			t.Errorf("cosine %v and no evidence: %v %+v, want 0", cosine, total, p)
		}
	}
}

func TestDateProximity(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	date := func(b, e float64) *Evidence { return &Evidence{Begin: b, End: e} }
	at := func(a, b *Evidence) float32 {
		_, p := newScorer(t).Score(a, b, 0, table{})
		return p.Date
	}
	year := date(1650, 1650)
	for _, c := range []struct {
		what       string
		a, b       *Evidence
		low, above float32
	}{
		{"the same year", year, year, 1, 1},
		{"only a begin", year, date(1650, nan), 1, 1},
		{"only an end", year, date(nan, 1650), 1, 1},
		{"end before begin", date(1600, 1650), date(1650, 1600), 0.5, 0.5},
		{"DateScale apart", year, date(1700, 1700), 0.3678, 0.3679},
		{"before the era", date(-700, -700), date(-650, -650), 0.3678, 0.3679},
		{"no date", year, date(nan, nan), 0, 0},
		{"millennia apart", year, date(-3000, -3000), 0, 1e-6},
		{"not finite", year, date(math.Inf(-1), 1650), 0, 0},
	} {
		if got := at(c.a, c.b); !(got >= c.low && got <= c.above) {
			t.Errorf("%s: %v, want %v to %v", c.what, got, c.low, c.above)
		}
	}
	if century, decade := at(year, date(1600, 1700)), at(year, date(1645, 1655)); !(decade > century && century > at(year, date(1700, 1800))) {
		t.Errorf("a decade around it %v, a century around it %v: the more precise should be closer", decade, century)
	}
}

func TestScoreWeightsAreChecked(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*ScoreWeights){
		"weight words": func(w *ScoreWeights) { w.Words = -1 },
		"weight link":  func(w *ScoreWeights) { w.Link = float32(math.NaN()) },
		"weights sum":  func(w *ScoreWeights) { *w = ScoreWeights{DateScale: 1} },
		"date scale":   func(w *ScoreWeights) { w.DateScale = 0 },
	} {
		w := DefaultScoreWeights()
		change(&w)
		if _, err := NewScorer(w); err == nil || !contain(err, name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
