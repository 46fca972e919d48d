package rerank

import (
	"fmt"
	"math"
	"slices"
)

// Weights gives the inverse document frequencies at one state of the archive: how
// telling it is to share an entity or a word. They must be finite and not negative.
type Weights interface {
	EntityIDF(node uint64) float32
	WordIDF(bucket uint32) float32
}

// ScoreWeights are the scorer's settings. With parts weights that sum to 1, no score is above 1.
type ScoreWeights struct {
	// Cosine .. Link weigh the parts of the same names.
	Cosine, Entities, Words, Date, Link float32
	// DateScale is in years: dates that far apart are 1/e as close as equal ones, and dating
	// to a span that long counts half as much as dating to a year.
	DateScale float32
}

// DefaultScoreWeights are for a seeded model, whose embeddings are known to be weaker than
// words and entities on curators' judgements.
func DefaultScoreWeights() ScoreWeights {
	return ScoreWeights{Cosine: 0.35, Entities: 0.25, Words: 0.30, Date: 0.05, Link: 0.05, DateScale: 50}
}

// Scorer is stage 2. It is immutable, and safe for concurrent use.
type Scorer struct{ w ScoreWeights }

// NewScorer checks the settings: every weight finite and not negative, one at least
// positive, the scale positive.
func NewScorer(w ScoreWeights) (*Scorer, error) {
	sum := float32(0)
	for _, f := range []struct {
		name  string
		value float32
	}{{"cosine", w.Cosine}, {"entities", w.Entities}, {"words", w.Words}, {"date", w.Date}, {"link", w.Link}} {
		if !(f.value >= 0) || math.IsInf(float64(f.value), 0) {
			return nil, fmt.Errorf("rerank: weight %s: %v is not a finite number of at least 0", f.name, f.value)
		}
		sum += f.value
	}
	if !(sum > 0) || math.IsInf(float64(sum), 0) {
		return nil, fmt.Errorf("rerank: weights sum to %v: want a positive, finite sum", sum)
	}
	if !(w.DateScale > 0) || math.IsInf(float64(w.DateScale), 0) {
		return nil, fmt.Errorf("rerank: date scale: %v is not a finite, positive number of years", w.DateScale)
	}
	return &Scorer{w: w}, nil
}

// Score compares two artifacts whose embeddings have the given cosine. It is
// ScorePrepared of both prepared; who compares one with many prepares it once.
func (s *Scorer) Score(a, b *Evidence, cosine float32, w Weights) (float32, Parts) {
	return s.ScorePrepared(Prepare(a, w), Prepare(b, w), cosine)
}

// Prepared is evidence with the weights of one state of the archive multiplied in and
// normalized. It refers to the evidence it was made from, which may not change. It is
// immutable, and safe for concurrent use.
type Prepared struct {
	e *Evidence
	// entity and word are unit vectors over e.Entities and e.Words: an entity has its idf,
	// a word (1 + ln count) * idf (Manning, Raghavan, Schuetze 2008, sections 6.2
	// and 6.4.1: sublinear tf scaling).
	entity, word []float32
	// buckets are those of e.Words.
	buckets []uint32
	// begin <= end, NaN when there is no date.
	begin, end float64
}

// Prepare multiplies the weights in. Artifacts that are scored with each other should be
// prepared with the same weights, or nearly: each is a unit vector under its own.
func Prepare(e *Evidence, w Weights) *Prepared {
	p := &Prepared{e: e, buckets: make([]uint32, len(e.Words))}
	buf := make([]float32, len(e.Entities)+len(e.Words))
	p.entity, p.word = buf[:len(e.Entities):len(e.Entities)], buf[len(e.Entities):]
	for i, node := range e.Entities {
		p.entity[i] = w.EntityIDF(node)
	}
	for i, t := range e.Words {
		p.buckets[i] = t.Bucket
		p.word[i] = sublinear(t.Count) * w.WordIDF(t.Bucket)
	}
	normalize(p.entity)
	normalize(p.word)
	p.begin, p.end = e.Begin, e.End
	if math.IsNaN(p.begin) {
		p.begin = p.end
	}
	if math.IsNaN(p.end) {
		p.end = p.begin
	}
	p.begin, p.end = min(p.begin, p.end), max(p.begin, p.end)
	return p
}

// ID returns the artifact's id.
func (p *Prepared) ID() string { return p.e.ID }

// ScorePrepared returns the weighted sum of the parts, and these:
//
//   - Cosine, as given, cut to [-1, 1] (a NaN is 0)
//   - Entities: sum of idf^2 over the shared entities / sqrt(sum over a's * sum over b's)
//   - Words: the cosine of the tf-idf vectors
//   - Date: exp(-gap/scale) / (1 + (width a + width b)/(2 scale)), with the gap in years
//     between the intervals, 0 when they overlap; 0 when one has no date. A missing begin or
//     end is taken to be the other one.
//   - Link: 1 when one links to the other, else 0
//
// Parts that are missing on one side are 0, so that they neither help nor hide. All
// operations are commutative in a and b and summed in the order of nodes and buckets:
// the result is the same bit for bit with a and b exchanged.
func (s *Scorer) ScorePrepared(a, b *Prepared, cosine float32) (float32, Parts) {
	p := Parts{
		Cosine:   clamp(cosine, -1),
		Entities: clamp(dot(a.e.Entities, a.entity, b.e.Entities, b.entity), 0),
		Words:    clamp(dot(a.buckets, a.word, b.buckets, b.word), 0),
		Date:     s.date(a, b),
	}
	if linked(a.e, b.e) {
		p.Link = 1
	}
	w := &s.w
	// One addend a statement: a fixed order, whatever the compiler may reassociate or fuse.
	total := w.Cosine * p.Cosine
	total += w.Entities * p.Entities
	total += w.Words * p.Words
	total += w.Date * p.Date
	total += w.Link * p.Link
	return total, p
}

func (s *Scorer) date(a, b *Prepared) float32 {
	gap := max(a.begin, b.begin) - min(a.end, b.end)
	if math.IsNaN(gap) {
		return 0
	}
	scale := float64(s.w.DateScale)
	width := (a.end - a.begin) + (b.end - b.begin)
	return float32(math.Exp(-max(gap, 0)/scale) / (1 + width/(2*scale)))
}

func linked(a, b *Evidence) bool {
	return contains(a.Links, b.Node) || contains(b.Links, a.Node)
}

func contains(nodes []uint64, n uint64) bool {
	if len(nodes) == 0 {
		return false
	}
	_, ok := slices.BinarySearch(nodes, n)
	return ok
}

// dot sums the products of the weights of what two strictly increasing lists share. Who is
// ahead is a coin toss that no branch predictor gets right, so the loop has no branch but
// its end: where the two differ, it adds 0.
func dot[K uint32 | uint64](ak []K, aw []float32, bk []K, bw []float32) float32 {
	aw, bw = aw[:len(ak)], bw[:len(bk)]
	var sum float32
	for i, j := 0, 0; i < len(ak) && j < len(bk); {
		x, y := ak[i], bk[j]
		keep := -uint32(bit(x == y))
		sum += math.Float32frombits(math.Float32bits(aw[i]*bw[j]) & keep)
		i += bit(x <= y)
		j += bit(y <= x)
	}
	return sum
}

// bit compiles to a conditional set.
func bit(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// sublinear is 0 for a count of 0, which no encoder makes.
func sublinear(count uint16) float32 {
	switch count {
	case 0:
		return 0
	case 1:
		return 1
	}
	return float32(1 + math.Log(float64(count)))
}

// normalize scales to unit length; all zeros stay.
func normalize(v []float32) {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return
	}
	f := 1 / math.Sqrt(sum)
	for i := range v {
		v[i] = float32(float64(v[i]) * f)
	}
}

func clamp(v, low float32) float32 {
	switch {
	case v != v:
		return 0
	case v < low:
		return low
	case v > 1:
		return 1
	}
	return v
}
