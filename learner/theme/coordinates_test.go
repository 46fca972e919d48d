package theme

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestCoordinates: of terms that are nearly certain, in both predictions, the inner product is the share of the terms that two Works have in
// common, of the geometric mean of how many each has; and no Work's Coordinates are longer than 1, or out of the order of their Places.
func TestCoordinates(t *testing.T) {
	t.Parallel()
	const terms, others = 9, 4
	m := &Model{vocabulary: vocabulary{terms: make([]string, others+terms), spans: []span{{"craft", 0, others}, {"motif", others, others + terms}}}}
	rng := rand.New(rand.NewPCG(8, 8))
	for sharp := range 400 {
		works := [2]*Profile{}
		has := [2][terms]float32{}
		for k := range works {
			p, n := make([]float32, others+terms), make([]float32, others+terms)
			for i := range terms {
				if has[k][i] = rng.Float32(); sharp%2 == 0 {
					has[k][i] = float32(math.Round(float64(has[k][i])))
				}
				p[others+i], n[others+i] = has[k][i], has[k][i]
			}
			works[k] = &Profile{probable: m.forecast(p, nil), near: m.forecast(n, nil)}
		}
		a, b := m.Coordinates("motif", works[0]), m.Coordinates("motif", works[1])
		inBoth, ofA, ofB := 0.0, 0.0, 0.0
		for i := range terms {
			inBoth += float64(has[0][i] * has[1][i])
			ofA += float64(has[0][i])
			ofB += float64(has[1][i])
		}
		if want := inBoth / math.Sqrt(ofA*ofB); sharp%2 == 0 && ofA*ofB > 0 && math.Abs(inner(t, a, b)-want) > 0.01 {
			t.Errorf("%v and %v: %g, want %g", has[0], has[1], inner(t, a, b), want)
		}
		if length := inner(t, a, a); length > 1+1e-6 {
			t.Errorf("%v: the square of the length is %g", has[0], length)
		}
	}
	if at := m.Coordinates("belief", &Profile{}); at != nil || m.TermsOf("belief") != nil {
		t.Errorf("a theme that is not known: %v", at)
	}
}

func inner(t *testing.T, a, b []Coordinate) float64 {
	t.Helper()
	at, sum := map[int]float64{}, 0.0
	for i, c := range a {
		if i > 0 && c.Place <= a[i-1].Place {
			t.Fatalf("place %d comes behind %d", c.Place, a[i-1].Place)
		}
		at[c.Place] = float64(c.Value)
	}
	for _, c := range b {
		sum += at[c.Place] * float64(c.Value)
	}
	return sum
}
