package train

import (
	"fmt"

	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
	"kilim/learner/tensor/vec"
	"kilim/learner/train/moco"
)

// Halves compares models by how well they find the other half of an artifact: each model is given the same halves.
type Halves struct {
	set       *Set
	artifacts []int32
	batch     int
	views     Views
	seed      uint64
}

// NewHalves returns the Halves of artifacts, given by number: the parts of their records and their modalities are split
// by seed.
func NewHalves(set *Set, artifacts []int32, batch int, views Views, seed uint64) *Halves {
	return &Halves{set, artifacts, min(batch, len(artifacts)), views, seed}
}

// Ranks returns, for each artifact, the rank (from 1) at which the embedding of one half finds the other half among
// those of all artifacts. Among equal cosines the artifact's own half comes last.
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

// EmbedWithoutOrigin embeds some artifacts as if their records named no origin: a row of length 1 each. Of views only
// Fan is used: how many neighbours are read.
func EmbedWithoutOrigin(set *Set, artifacts []int32, batch int, views Views, seed uint64, m *model.Model, w *model.Weights, pool *par.Pool) (tape.Matrix, error) {
	batch = min(batch, len(artifacts))
	s, err := NewSampler(set, artifacts, batch, views, seed)
	if err != nil {
		return tape.Matrix{}, err
	}
	d := m.Config().EmbeddingDim()
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

// embedHalves embeds both halves of artifacts: rows of length 1.
func embedHalves(s *Sampler, artifacts []int32, batch int, seed uint64, m *model.Model, w *model.Weights, t *tape.Tape) (queries, keys tape.Matrix, err error) {
	d, n := m.Config().EmbeddingDim(), len(artifacts)
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

// rank is the rank of row own among the keys of a query. Among equal cosines row own comes last.
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
