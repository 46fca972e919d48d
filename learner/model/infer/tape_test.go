package infer

import (
	"slices"
	"testing"

	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
)

// onTape embeds the artifacts of a world by the model's forward pass on a tape, which sees every node and every edge
// from an active one.
func (w *world) onTape(t *testing.T, cfg Config, m *model.Model, weights *model.Weights) [][]float64 {
	t.Helper()
	pool, err := par.New(1)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	tp := tape.New(pool)
	tp.SetRecording(false)
	modes := len(m.Config().Modalities)
	block := &model.Block{Mask: tape.Mask{Items: w.artifacts, Modalities: modes, Present: make([]bool, w.artifacts*modes)}}
	var features []tape.Features
	for mode, modality := range m.Config().Modalities {
		f, rows, active := w.featuresOf(cfg, slices.Index(names[:], modality.Name))
		for i := range w.artifacts {
			block.Mask.Present[i*modes+mode] = active[i]
		}
		features, block.Rows = append(features, f), append(block.Rows, rows)
		var edges []*tape.Edges
		for l := range cfg.depth() {
			upTo := len(w.edges)
			if l == cfg.depth()-1 {
				upTo = w.artifacts
			}
			e, next := w.edgesOf(t, cfg, active, upTo)
			edges, active = append(edges, e), next
		}
		block.Layers = append(block.Layers, edges)
	}
	e, _, err := m.Forward(tp, weights, features, block, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][]float64, w.artifacts)
	for i := range out {
		for _, x := range e.Row(i) {
			out[i] = append(out[i], float64(x))
		}
	}
	return out
}

// featuresOf returns the features of all nodes in a modality, and which nodes have some.
func (w *world) featuresOf(cfg Config, mode int) (tape.Features, tape.CSR, []bool) {
	var data []float32
	active := make([]bool, len(w.features))
	rows := tape.CSR{Start: []int32{0}}
	cols := cfg.dims()[mode]
	for i, f := range w.features {
		var x []float32
		switch mode {
		case record:
			x = make([]float32, cols)
			if f.Text.Length > 0 {
				f.Text.Scatter(x[:cfg.Text])
			}
			copy(x[cfg.Text:], f.Facts)
			x[cfg.Text+cfg.Facts+w.typ[i]] = 1
		case image:
			x = f.Image
		case audio:
			x = f.Audio
		}
		if x != nil {
			active[i] = true
			rows.Source, rows.Weight = append(rows.Source, int32(len(data)/cols)), append(rows.Weight, 1)
			data = append(data, x...)
		}
		rows.Start = append(rows.Start, int32(len(rows.Source)))
	}
	return tape.NewFeatures(cols, data), rows, active
}

func (w *world) edgesOf(t *testing.T, cfg Config, active []bool, upTo int) (*tape.Edges, []bool) {
	t.Helper()
	c := tape.CSR{Start: []int32{0}}
	var relations []int32
	next := append([]bool(nil), active...)
	for i := range upTo {
		count := map[int]float32{}
		for _, e := range w.edges[i] {
			if active[e.to] {
				count[e.relation]++
			}
		}
		for _, e := range w.edges[i] {
			if active[e.to] {
				c.Source, c.Weight = append(c.Source, int32(e.to)), append(c.Weight, 1/count[e.relation])
				relations = append(relations, int32(e.relation))
				next[i] = true
			}
		}
		c.Start = append(c.Start, int32(len(c.Source)))
	}
	edges, err := tape.NewEdges(c, relations, len(active), cfg.Relations)
	if err != nil {
		t.Fatal(err)
	}
	return edges, next
}
