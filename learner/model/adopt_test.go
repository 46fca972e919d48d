package model

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestAdopt: a third modality and a fourth relation are added, and everything that was trained keeps its values.
func TestAdopt(t *testing.T) {
	t.Parallel()
	old := newModel(t, shape)
	trained, r := old.Init(), rand.New(rand.NewPCG(1, 1))
	for i := range trained.Data {
		trained.Data[i] = r.Float32()
	}
	cfg := shape
	cfg.Modalities = append(slices.Clone(shape.Modalities), Modality{"audio", 8})
	cfg.Relations++
	m := newModel(t, cfg)
	seeded := m.Init()
	w, none := m.Init(), func(string) bool { return false }
	fresh := m.Adopt(w, trained, none)
	for _, p := range m.Params() {
		got, _ := w.Matrix(p.Name)
		was, ok := trained.Matrix(p.Name)
		start, _ := seeded.Matrix(p.Name)
		if !slices.Equal(got.Data[:len(was.Data)], was.Data) || !slices.Equal(got.Data[len(was.Data):], start.Data[len(was.Data):]) {
			t.Errorf("%s is neither the trained one nor seeded", p.Name)
		}
		if grown := !ok || len(was.Data) < len(got.Data); grown != slices.Contains(fresh, p.Name) {
			t.Errorf("%s: fresh %v, want %v", p.Name, !grown, grown)
		}
	}
	cfg.Width = 64
	wider := newModel(t, cfg)
	if fresh := wider.Adopt(wider.Init(), trained, none); !slices.Contains(fresh, "text.input.weight") {
		t.Error("weights of another width were taken over")
	}
	w = m.Init()
	fresh = m.Adopt(w, trained, func(name string) bool { return name == "text.input.weight" })
	got, _ := w.Matrix("text.input.weight")
	start, _ := seeded.Matrix("text.input.weight")
	if !slices.Equal(got.Data, start.Data) || !slices.Contains(fresh, "text.input.weight") {
		t.Error("a parameter that was to be kept was written over")
	}
}
