package train

import (
	"fmt"

	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
	"kilim/learner/tensor/vec"
	"kilim/learner/train/moco"
)

// Halves are the halves of some artifacts, to judge models by: each model sees the same.
type Halves struct {
	set       *Set
	artifacts []int32
	batch     int
	views     Views
	seed      uint64
}

// NewHalves deals the fields and the modalities of artifacts, by their numbers, to halves.
func NewHalves(set *Set, artifacts []int32, batch int, views Views, seed uint64) *Halves {
	return &Halves{set, artifacts, min(batch, len(artifacts)), views, seed}
}

// Ranks are, for each artifact, the rank at which the embedding of its one half finds the other's among
// the halves of all, from 1. Of equal cosines the own one comes last.
func (h *Halves) Ranks(m *model.Model, w *model.Weights, pool *par.Pool) ([]int, error) {
	sampler, err := NewSampler(h.set, h.artifacts, h.batch, h.views, h.seed)
	if err != nil {
		return nil, err
	}
	queries, keys, err := embedHalves(sampler, h.artifacts, h.batch, h.seed, m, w, tape.New(pool))
	if err != nil {
		return nil, err
	}
	out := make([]int, queries.Rows)
	for i := range out {
		out[i] = rank(queries.Row(i), keys, i)
	}
	return out, nil
}

// Bare embeds some artifacts as if their records named no origin: a row of length 1 each. Views says how many
// neighbours are read.
func EmbedWithoutOrigin(set *Set, artifacts []int32, batch int, views Views, seed uint64, m *model.Model, w *model.Weights, pool *par.Pool) (tape.Matrix, error) {
	batch = min(batch, len(artifacts))
	s, err := NewSampler(set, artifacts, batch, views, seed)
	if err != nil {
		return tape.Matrix{}, err
	}
	d := m.Config().Width
	out := tape.Constant(len(artifacts), d, make([]float32, len(artifacts)*d))
	t := tape.New(pool)
	t.SetRecording(false)
	for at := 0; at < len(artifacts); at += batch {
		view, err := s.WithoutOrigin(artifacts[at:min(at+batch, len(artifacts))], seed+uint64(at))
		if err != nil {
			return tape.Matrix{}, err
		}
		t.Reset()
		z, _, err := m.Forward(t, w, view.Features, view.Block, 0, false)
		if err != nil {
			return tape.Matrix{}, fmt.Errorf("train: bare: %w", err)
		}
		copy(out.Data[at*d:], t.Unit(z).Data)
	}
	return out, nil
}

// halves embeds both halves of artifacts: rows of length 1.
func embedHalves(s *Sampler, artifacts []int32, batch int, seed uint64, m *model.Model, w *model.Weights, t *tape.Tape) (queries, keys tape.Matrix, err error) {
	d, n := m.Config().Width, len(artifacts)
	queries, keys = tape.Constant(n, d, make([]float32, n*d)), tape.Constant(n, d, make([]float32, n*d))
	for at := 0; at < n; at += batch {
		b, err := s.Halves(artifacts[at:min(at+batch, n)], seed+uint64(at))
		if err != nil {
			return queries, keys, err
		}
		for _, half := range []struct {
			view moco.View
			to   tape.Matrix
		}{{b.Query, queries}, {b.Key, keys}} {
			t.Reset()
			t.SetRecording(false)
			z, _, err := m.Forward(t, w, half.view.Features, half.view.Block, 0, false)
			if err != nil {
				return queries, keys, fmt.Errorf("train: halves: %w", err)
			}
			copy(half.to.Data[at*d:], t.Unit(z).Data)
		}
	}
	return queries, keys, nil
}

// rank is that of row own among the keys of a query. Of equal cosines it comes last.
func rank(query []float32, keys tape.Matrix, own int) int {
	cosine := vec.Dot(query, keys.Row(own))
	out := 1
	for j := range keys.Rows {
		if j != own && vec.Dot(query, keys.Row(j)) >= cosine {
			out++
		}
	}
	return out
}
