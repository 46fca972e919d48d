package infer

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"weak"
)

// TestRowsAreKeptApart: who keeps one row of a batch keeps no other. A store's cache counts the rows that it keeps, so rows that
// held each other would be memory that nobody counts.
func TestRowsAreKeptApart(t *testing.T) {
	m, _, _ := random(t, shape)
	rng := rand.New(rand.NewPCG(4, 2))
	const n = 64
	features, in := make([]Features, n), make([]Input, n)
	for i := range features {
		features[i].Text = textFeatures(rng, shape.Text)
	}
	inputs := m.Artifacts(features, 0)
	for i := range in {
		in[i].Self, _ = Halves(inputs[i])
	}
	hidden := m.Layer(0, in, 0)
	for name, rows := range map[string][][]float32{"Artifacts": m.Artifacts(features, 0), "Layer": hidden, "Output": m.Output(hidden, inputs)} {
		var others []weak.Pointer[float32]
		kept := rows[n/2]
		for i := range rows {
			if i != n/2 {
				others = append(others, weak.Make(&rows[i][0]))
			}
			rows[i] = nil
		}
		runtime.GC()
		held := 0
		for _, p := range others {
			if p.Value() != nil {
				held++
			}
		}
		if held > 0 {
			t.Errorf("%s: a row of %d numbers keeps %d others", name, len(kept), held)
		}
		runtime.KeepAlive(kept)
	}
}
