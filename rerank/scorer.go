package rerank

import (
	"fmt"
	"math"
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
type Scorer struct {
	w ScoreWeights
	// years are the results of near for gaps of so many whole years, which most gaps are.
	years [1024]float64
}

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
	s := &Scorer{w: w}
	for n := range s.years {
		s.years[n] = math.Exp(-float64(n) / float64(w.DateScale))
	}
	return s, nil
}

// Weights are the settings.
func (s *Scorer) Weights() ScoreWeights { return s.w }

// Date is the part of the same name of two intervals of years, see Comparison.Score.
func (s *Scorer) Date(begin, end, otherBegin, otherEnd float64) float32 {
	gap := max(begin, otherBegin) - min(end, otherEnd)
	width := (end - begin) + (otherEnd - otherBegin)
	if math.IsNaN(gap) || math.IsNaN(width) {
		return 0
	}
	return float32(s.near(max(gap, 0)) / (1 + width/(2*float64(s.w.DateScale))))
}

// near is exp(-gap/scale) for a gap of 0 or more years.
func (s *Scorer) near(gap float64) float64 {
	if gap < float64(len(s.years)) {
		if n := int(gap); float64(n) == gap {
			return s.years[n]
		}
	}
	return math.Exp(-gap / float64(s.w.DateScale))
}

// Score compares two artifacts whose embeddings have the given cosine, see Comparison.Score; who compares one with many
// begins a Comparison.
func (s *Scorer) Score(a, b *Evidence, cosine float32, w Weights) (float32, Parts) {
	var c Comparison
	c.Begin(s, Prepare(a, w))
	return c.Score(Prepare(b, w), cosine)
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
