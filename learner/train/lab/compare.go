package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/internal/cputime"
	"kilim/learner/encode/audio"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/feature"
	"kilim/learner/encode/image"
	"kilim/learner/encode/text"
	"kilim/learner/model"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
	"kilim/learner/train"
	"kilim/learner/train/dataset"
)

// comparison has the results of each system.
type comparison struct {
	tfidf, bm25, raw, before []result
	runs                     [][]result // [seed]
	trained                  []training
}

// training is what came of one seed's training, and what it took.
type training struct {
	seed      uint64
	weights   []float32
	steps     int
	wall      time.Duration
	processor time.Duration // of all that ran meanwhile
}

func (o *options) prepare(c *corpus) (*comparison, error) {
	enc, err := text.NewEncoder(text.Config{Dim: o.text, Seed: 1})
	if err != nil {
		return nil, err
	}
	served := infer.Config{Text: enc.Dim(), Facts: facts.Dim, Width: o.width, Bases: 4, Heads: 4, Relations: refresh.Relations, Types: refresh.Relations / 2, Seed: 1}
	if !o.excludes("image") && slices.ContainsFunc(c.records, func(r record) bool { return r.Vectors.Image != nil }) {
		served.Image = image.Dim
	}
	if !o.excludes("audio") && slices.ContainsFunc(c.records, func(r record) bool { return r.Vectors.Audio != nil }) {
		served.Audio = audio.Dim
	}
	shape := served.Shape()
	shape.Fusion, shape.Residual, shape.Layers, shape.Aggregator, shape.Media = o.fusion, o.residual, o.layers, o.aggregator, o.media
	if o.shape != "" {
		d := json.NewDecoder(strings.NewReader(o.shape))
		d.DisallowUnknownFields()
		if err := d.Decode(&shape); err != nil {
			return nil, fmt.Errorf("model %s: %w", o.shape, err)
		}
	}
	s, err := newSets(c, dataset.Config{Words: enc, Shape: shape, MaxRareMembers: o.rare, WithoutGraph: o.excludes("graph")})
	if err != nil {
		return nil, err
	}
	order := rand.New(rand.NewPCG(1, 0x1ab)).Perm(len(c.records))
	// Records with a culture come first: the culture task asks for theirs.
	slices.SortStableFunc(order, func(x, y int) int {
		return boolToInt(c.records[x].Culture == "") - boolToInt(c.records[y].Culture == "")
	})
	withCulture := 0
	for _, r := range c.records {
		withCulture += boolToInt(r.Culture != "")
	}
	n := min(o.test, len(order)/3, max(withCulture/2, 1))
	test, rest := order[:n], order[n:]
	fmt.Printf("%d records, %d set aside; model of %v, %s, %s, %s, %d layers, media as %s; without %q\n", len(c.records), n, shape.Modalities, shape.Fusion, shape.Residual, shape.Aggregator, shape.Layers, cmp.Or(shape.Media, model.MediaFeatures), o.without)
	return o.compare(s, served, test, rest)
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (o *options) compare(s *sets, served infer.Config, test, rest []int) (*comparison, error) {
	h, err := s.newHalfTask(test, 1)
	if err != nil {
		return nil, err
	}
	v, err := s.newVoteTask(test, o.least)
	if err != nil {
		return nil, err
	}
	tfidf := append(h.measure(func(i int) []float32 { return h.baseline.cosines(h.query[i]) }),
		v.measure(func(i int, _ labels) []float32 { return v.baseline.cosines(v.texts[i]) })...)
	var bm25 []result
	if o.bm25 {
		bm25 = o.rankings(h, v)
	}
	pool, err := par.New(o.threads)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	m, err := model.New(s.cfg.Shape)
	if err != nil {
		return nil, err
	}
	weights := func(data []float32) (*model.Weights, error) { return m.Weights(data, make([]float32, len(data))) }
	embedded := func(data []float32) ([]result, error) {
		w, err := m.Weights(data, nil)
		if err != nil {
			return nil, err
		}
		embed := func(set *train.Set) (tape.Matrix, error) { return train.Embed(set, m, w, pool) }
		z, err := embed(h.set)
		if err != nil {
			return nil, err
		}
		out := h.embedded(z)
		if z, err = embed(v.set); err != nil {
			return nil, err
		}
		return append(out, v.embedded(z)...), nil
	}
	start := infer.SeededWeights(served, m)
	before, err := embedded(start)
	if err != nil {
		return nil, err
	}
	raw, err := features(s, h, v)
	if err != nil {
		return nil, err
	}
	trained := make([]training, o.seeds)
	var group errgroup.Group
	if !o.together {
		group.SetLimit(1)
	}
	for seed := range o.seeds {
		group.Go(func() (err error) {
			trained[seed], err = o.train(s, m, weights, start, rest, o.first+uint64(seed))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var runs [][]result
	for _, one := range trained {
		r, err := embedded(one.weights)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return &comparison{tfidf, bm25, raw, before, runs, trained}, nil
}

// features are the results of the text features that the model reads: cosines of these rows themselves.
func features(s *sets, h *halfTask, v *voteTask) ([]result, error) {
	dim := s.cfg.Words.Dim()
	rows := func(set *train.Set) (tape.Matrix, error) {
		all, block, err := set.FullBlock()
		if err != nil {
			return tape.Matrix{}, err
		}
		records, place := all[0], block.Rows[0]
		z := tape.Constant(set.Nodes(), dim, make([]float32, set.Nodes()*dim))
		record := make([]float32, records.Cols)
		for i := range set.Nodes() {
			if at := place.Start[i]; at < place.Start[i+1] {
				records.Rows[place.Source[at]].Scatter(record)
				copy(z.Row(i), record)
				feature.Scale(z.Row(i), 1)
			}
		}
		return z, nil
	}
	z, err := rows(h.set)
	if err != nil {
		return nil, err
	}
	out := h.embedded(z)
	if z, err = rows(v.set); err != nil {
		return nil, err
	}
	return append(out, v.embedded(z)...), nil
}

// rankings are the results of BM25.
func (o *options) rankings(h *halfTask, v *voteTask) []result {
	all := func(int) bool { return true }
	return append(h.measure(func(i int) []float32 { return h.baseline.bm25Scores(h.query[i], 1000, all) }),
		v.measure(func(i int, l labels) []float32 {
			return v.baseline.bm25Scores(v.texts[i], neighbours, func(d int) bool { return v.visible[d] && l.of[d] != "" })
		})...)
}

func (o *options) train(s *sets, m *model.Model, weights func([]float32) (*model.Weights, error), start []float32, rest []int, seed uint64) (out training, err error) {
	cfg, err := o.config(seed)
	if err != nil {
		return out, err
	}
	pool, err := par.New(o.threads)
	if err != nil {
		return out, err
	}
	defer pool.Close()
	set, err := s.training(rest)
	if err != nil {
		return out, err
	}
	w, err := weights(slices.Clone(start))
	if err != nil {
		return out, err
	}
	t, err := train.New(cfg, set, m, w, pool)
	if err != nil {
		return out, err
	}
	began, spent := time.Now(), cputime.Spent()
	err = t.Run(context.Background(), func(p train.Progress) error {
		if p.Validated && p.Step > 0 && !o.quiet {
			fmt.Printf("  seed %d step %d/%d %s: loss %.3f, temperature %.3f, gradient %.2f, rate %.2g; held out MRR %.3f, rank %.1f, uniformity %.2f\n",
				seed, p.Step, p.Steps, p.Stage, p.Loss, p.Temperature, p.GradientNorm, p.Rate, p.Validation.MRR, p.Validation.Collapse.Rank, p.Validation.Collapse.Uniformity)
		}
		return nil
	})
	best, j := t.Best()
	fmt.Printf("seed %d: %d steps in %.0f s; held out MRR from %.3f to %.3f at step %d\n", seed, t.Steps(), time.Since(began).Seconds(), t.Validations()[0].MRR, j.MRR, j.Step)
	return training{seed, best, t.Steps(), time.Since(began), cputime.Spent() - spent}, err
}
