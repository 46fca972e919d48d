package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
	"kilim/learner/train/moco"
)

// Sizes of the peer's step.
const (
	width, relations, bases = 128, 10, 4
	batch, queue            = 256, 4096
	fan0, fan1              = 10, 5
	tableRows               = 28_000
	samples                 = 8
	warmUp                  = 5
)

var shape = model.Config{
	Modalities: []model.Modality{{Name: "text", Features: 512}, {Name: "image", Features: 256}, {Name: "audio", Features: 128}},
	Width:      width, Layers: 2, Relations: relations, Bases: bases, Heads: 4, Dropout: 0.2, Inside: true, Seed: 1,
}

var fields = []string{"culture", "period", "dynasty", "style", "place", "material", "type", "subject", "creator"}

// edge joins an artifact and an entity.
type edge struct{ to, relation int32 }

// museum is the peer's graph: the entities of each artifact, and the artifacts of each entity.
type museum struct{ ofArtifact, ofEntity [][]edge }

func readMuseum(path string) (*museum, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m, ids := &museum{}, map[string]int32{}
	lines := bufio.NewScanner(z)
	for lines.Buffer(nil, 16<<20); lines.Scan(); {
		terms, err := termsOf(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		n := int32(len(m.ofArtifact))
		var own []edge
		for _, t := range terms {
			e, ok := ids[t.key]
			if !ok {
				e = int32(len(ids))
				ids[t.key] = e
				m.ofEntity = append(m.ofEntity, nil)
			}
			own = append(own, edge{e, t.relation})
			m.ofEntity[e] = append(m.ofEntity[e], edge{n, t.relation})
		}
		m.ofArtifact = append(m.ofArtifact, own)
	}
	return m, lines.Err()
}

type term struct {
	key      string
	relation int32
}

func termsOf(line []byte) ([]term, error) {
	var r map[string]json.RawMessage
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, err
	}
	var out []term
	add := func(relation int, label string) {
		if t := (term{fmt.Sprint(relation, " ", label), int32(relation)}); !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	for i, f := range fields {
		var list []any
		if raw, ok := r[f]; ok {
			if err := json.Unmarshal(raw, &list); err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
		}
		for _, v := range list {
			if s, ok := v.(string); ok {
				add(i, s)
			}
		}
	}
	var date struct{ Begin, End *float64 }
	if raw, ok := r["date"]; ok {
		if err := json.Unmarshal(raw, &date); err != nil {
			return nil, fmt.Errorf("date: %w", err)
		}
	}
	for _, y := range []*float64{date.Begin, date.End} {
		if y != nil {
			add(relations-1, fmt.Sprint(math.Floor(*y/10)*10))
		}
	}
	return out, nil
}

// sample is a block drawn as the peer draws it: 10 entities of each artifact and 5 artifacts of each entity, with
// replacement. All that an entity reads is of one relation and read nowhere else, and the input is linear: as in
// package train, the mean is taken before the input, so that there is one row for it.
type sample struct {
	rows   []int32   // of the feature tables: the seeds' and the entities'
	means  [][]int32 // after them, of each entity the rows that it reads
	nodes  int       // number of nodes that the peer would have
	layers []*tape.Edges
}

func (m *museum) sample(r *rand.Rand, artifacts []int32) (*sample, error) {
	seeds := slices.Clone(artifacts)
	r.Shuffle(len(seeds), func(i, j int) { seeds[i], seeds[j] = seeds[j], seeds[i] })
	seeds = seeds[:batch]
	s, seen := &sample{}, map[int32]bool{}
	for _, a := range seeds {
		seen[a] = true
		s.rows = append(s.rows, a)
	}
	place := map[int32]int32{} // of an entity
	var entities []int32
	var hop1 [][]edge
	for _, a := range seeds {
		var row []edge
		for range fan0 {
			e := m.ofArtifact[a][r.IntN(len(m.ofArtifact[a]))]
			p, ok := place[e.to]
			if !ok {
				p = int32(batch + len(entities))
				place[e.to] = p
				entities = append(entities, e.to)
				s.rows = append(s.rows, int32(len(m.ofArtifact))+e.to)
			}
			row = append(row, edge{p, e.relation})
		}
		hop1 = append(hop1, row)
	}
	hop2 := slices.Clone(hop1)
	for i, e := range entities {
		var mean []int32
		for range fan1 {
			b := m.ofEntity[e][r.IntN(len(m.ofEntity[e]))]
			seen[b.to] = true
			mean = append(mean, b.to)
		}
		s.means = append(s.means, mean)
		hop2 = append(hop2, []edge{{int32(batch + len(entities) + i), m.ofEntity[e][0].relation}})
	}
	s.nodes = len(seen) + len(entities)
	lower, err := means(hop2, len(s.rows)+len(s.means))
	if err != nil {
		return nil, err
	}
	upper, err := means(hop1, len(hop2))
	s.layers = []*tape.Edges{lower, upper}
	return s, err
}

func means(rows [][]edge, sources int) (*tape.Edges, error) {
	c, relation := tape.CSR{Start: []int32{0}}, []int32(nil)
	for _, row := range rows {
		for _, e := range row {
			c.Source, c.Weight, relation = append(c.Source, e.to), append(c.Weight, 1/float32(len(row))), append(relation, e.relation)
		}
		c.Start = append(c.Start, int32(len(c.Source)))
	}
	return tape.NewEdges(c, relation, sources, relations)
}

// view returns a sample with the features of other seeds.
func (s *sample) view(features []tape.Features, seeds []int32) moco.View {
	c := tape.CSR{Start: []int32{0}}
	for i, n := range s.rows {
		if i < batch {
			n = seeds[i]
		}
		c.Source, c.Weight = append(c.Source, n%tableRows), append(c.Weight, 1)
		c.Start = append(c.Start, int32(len(c.Source)))
	}
	for _, mean := range s.means {
		for _, n := range mean {
			c.Source, c.Weight = append(c.Source, n%tableRows), append(c.Weight, 1/float32(len(mean)))
		}
		c.Start = append(c.Start, int32(len(c.Source)))
	}
	b := &model.Block{Mask: tape.Mask{Items: batch, Modalities: len(features), Present: make([]bool, batch*len(features))}}
	for i := range b.Mask.Present {
		b.Mask.Present[i] = true
	}
	for range features {
		b.Rows, b.Layers = append(b.Rows, c), append(b.Layers, s.layers)
	}
	return moco.View{Features: features, Block: b}
}

// timeStep times Step of package moco.
func timeStep(feed string, threads, steps int) (*timing, error) {
	m, err := readMuseum(feed)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(1, 1))
	var artifacts []int32
	for i, e := range m.ofArtifact {
		if len(e) > 0 {
			artifacts = append(artifacts, int32(i))
		}
	}
	var all []*sample
	for range samples {
		s, err := m.sample(r, artifacts)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	var features []tape.Features
	for _, mode := range shape.Modalities {
		data := make([]float32, tableRows*mode.Features)
		for i := range data {
			data[i] = float32(r.NormFloat64())
		}
		features = append(features, tape.NewFeatures(mode.Features, data))
	}
	var queries, keys []moco.View
	for i, s := range all {
		queries = append(queries, s.view(features, s.rows))
		keys = append(keys, all[(i+3)%samples].view(features, s.rows))
	}
	pool, err := par.New(threads)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	enc, err := model.New(shape)
	if err != nil {
		return nil, err
	}
	w := enc.Init()
	for i := range w.Data { // the peer's weights have no zeros
		w.Data[i] += float32(r.NormFloat64()) * 0.02
	}
	t, err := moco.New(moco.Config{Queue: queue, Momentum: 0.999, Temperature: 0.07, Rate: 1e-3, Decay: 1e-2, Seed: 1}, enc, w, width, pool)
	if err != nil {
		return nil, err
	}
	var times []float64
	for i := range warmUp + steps {
		began := time.Now()
		if _, err := t.Step(queries[i%samples], keys[i%samples], nil); err != nil {
			return nil, err
		}
		if i >= warmUp {
			times = append(times, time.Since(began).Seconds()*1e3)
		}
	}
	slices.Sort(times)
	return &timing{Median: median(times), P90: times[len(times)*9/10], Rows: all[0].nodes, Parameters: enc.Size()}, nil
}
