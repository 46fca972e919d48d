package gate

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"kilim/learner/encode/feature"
	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
	"kilim/learner/train"
	"kilim/learner/train/eval"
)

const (
	width     = 24 // of the record's features
	groups    = 20 // artifacts of one group share entities and half of their words
	perGroup  = 24
	cultures  = 4
	relations = 6
)

// words encodes parts as the sum of a random vector each.
type words struct{}

func (words) Encode(_ int32, parts []train.Part, out []float32) {
	clear(out)
	for _, p := range parts {
		r := rand.New(rand.NewPCG(9, uint64(p.Content)))
		for i := range out {
			out[i] += float32(r.NormFloat64())
		}
	}
	feature.Scale(out, 1)
}

// village is an archive whose groups belong to cultures and whose neighbours in a group are linked.
func village(t *testing.T, cfg model.Config) Benchmark {
	t.Helper()
	b, r := train.NewBuilder(cfg), rand.New(rand.NewPCG(3, 3))
	vector := func(parts []train.Part) []float32 {
		out := make([]float32, width)
		words{}.Encode(0, parts, out)
		return out
	}
	var m Benchmark
	var entities []int32
	for g := range groups * 3 {
		entities = append(entities, b.AddNode(vector([]train.Part{{Content: int32(g)}})))
	}
	var artifacts []train.Artifact
	var themes []map[string][]string
	for i := range groups * perGroup {
		g := i % groups
		a := train.Artifact{Culture: int32(g % cultures)}
		for f := range 3 {
			content := int32(g*3 + f)
			if r.IntN(2) == 0 {
				content = int32(1000 + r.IntN(4000))
			}
			a.Parts = append(a.Parts, train.Part{Content: content, Edges: []train.Edge{{To: entities[g*3+f], Relation: int32(2 * f)}}})
		}
		a.Parts = append(a.Parts, train.Part{Content: int32(6000 + i/2)}) // shared with one other
		a.Node = b.AddNode(vector(a.Parts))
		for _, p := range a.Parts {
			for _, e := range p.Edges {
				b.AddEdge(e.To, train.Edge{To: a.Node, Relation: e.Relation + 1})
			}
		}
		m.IDs, m.Cultures = append(m.IDs, fmt.Sprintf("%03d", i)), append(m.Cultures, fmt.Sprintf("culture %d", g%cultures))
		themes = append(themes, map[string][]string{"motif": {fmt.Sprint(g)}})
		if i >= groups && i%3 == 0 {
			m.Links = append(m.Links, [2]int32{int32(i), int32(i - groups)})
		}
		if i/groups%2 == 1 {
			m.HeldOut = append(m.HeldOut, int32(i))
		}
		artifacts = append(artifacts, a)
	}
	for _, a := range artifacts {
		b.AddArtifact(a)
	}
	var err error
	if m.Set, err = b.Build(words{}); err != nil {
		t.Fatal(err)
	}
	m.Themes = eval.Labels(m.IDs, themes)
	m.Views, m.Seed = train.Defaults(cfg.Layers).Views, 1
	return m
}

func TestJudge(t *testing.T) {
	t.Parallel()
	cfg := model.Config{Modalities: []model.Modality{{Name: "record", Features: width}}, Width: 24, Layers: 2, Relations: relations, Bases: 2, Heads: 2, Seed: 1}
	m, err := model.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := par.New(2)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	material := village(t, cfg)
	good := m.Init()
	weights := func(change func(p model.Param, w []float32, r *rand.Rand)) *model.Weights {
		data := append([]float32(nil), good.Data...)
		r := rand.New(rand.NewPCG(5, 5))
		for _, p := range m.Params() {
			change(p, data[p.Offset:p.Offset+p.Rows*p.Cols], r)
		}
		w, err := m.Weights(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	shuffled := weights(func(_ model.Param, w []float32, r *rand.Rand) {
		r.Shuffle(len(w), func(i, j int) { w[i], w[j] = w[j], w[i] })
	})
	collapsed := weights(func(p model.Param, w []float32, _ *rand.Rand) {
		if p.Name == "record.input.weight" || p.Name == "record.skip.weight" {
			for i := range w {
				w[i] *= 1e-4 // all that is left of an artifact is the bias
			}
		}
		if p.Name == "record.input.bias" {
			w[0], w[1] = 1, -1
		}
	})
	noisy := weights(func(_ model.Param, w []float32, r *rand.Rand) {
		for i := range w {
			w[i] += float32(0.15 * r.NormFloat64())
		}
	})
	judge := func(serving, candidate *model.Weights) *Table {
		table, err := Compare(context.Background(), material, Model{Shape: m, Weights: serving}, Model{Shape: m, Weights: candidate}, pool)
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
	for name, c := range map[string]struct {
		serving, candidate *model.Weights
		promote            bool
		reason             string
	}{
		"the same":              {good, good, false, "nothing is better"},
		"shuffled weights":      {good, shuffled, false, "worse beyond noise"},
		"collapsed":             {good, collapsed, false, "worse beyond noise"},
		"a better one":          {noisy, good, true, "better beyond noise"},
		"the worse of the last": {good, noisy, false, "worse beyond noise"},
	} {
		table := judge(c.serving, c.candidate)
		if table.Promote != c.promote || !strings.Contains(table.Reason, c.reason) {
			var out bytes.Buffer
			_ = table.Print(&out)
			t.Errorf("%s:\n%s", name, out.String())
		}
	}
	table := judge(good, collapsed)
	if healthy := judge(good, good).Collapse; table.Collapse.Rank > healthy.Rank/2 || table.Collapse.Uniformity < healthy.Uniformity/2 {
		t.Errorf("collapse is not seen: %+v against %+v", table.Collapse, healthy)
	}
	tasks := map[string]bool{}
	for _, r := range table.Rows {
		tasks[r.Task] = true
	}
	for _, want := range []string{"halves", "origins", "links", "themes", "halves of culture 0", "halves of culture 3"} {
		if !tasks[want] {
			t.Errorf("no comparison of %s", want)
		}
	}
}

// TestVote: three artifacts of one culture outvote two nearer ones of another; with one each, the nearer wins.
func TestVote(t *testing.T) {
	t.Parallel()
	cosines := []float32{0.9, 0.8, 0.5, 0.4, 0.3}
	s := &embeddings{rows: tape.Constant(len(cosines), 1, cosines)}
	artifacts := []train.Artifact{{Culture: 4}, {Culture: 4}, {Culture: 7}, {Culture: 7}, {Culture: 7}}
	if got := s.vote([]float32{1}, []int32{0, 1, 2, 3, 4}, artifacts); got != 7 {
		t.Errorf("most are of culture 7, the vote says %d", got)
	}
	if got := s.vote([]float32{1}, []int32{4, 1}, artifacts); got != 4 {
		t.Errorf("the nearer is of culture 4, the vote says %d", got)
	}
	many := make([]train.Artifact, 30)
	rows := make([]float32, 30)
	among := make([]int32, 30)
	for i := range many { // the ten nearest are of culture 1, the twenty others of 2
		rows[i], among[i], many[i].Culture = float32(i), int32(i), 2
		if i >= 20 {
			many[i].Culture = 1
		}
	}
	if got := (&embeddings{rows: tape.Constant(30, 1, rows)}).vote([]float32{1}, among, many); got != 1 {
		t.Errorf("the ten nearest are of culture 1, the vote says %d", got)
	}
}

// TestOneCultureSpoiled: a candidate that is good for all but one culture is refused, though its means may be no worse.
func TestOneCultureSpoiled(t *testing.T) {
	t.Parallel()
	table := &Table{}
	r := rand.New(rand.NewPCG(1, 1))
	var serving, candidate []float64
	var spoiledBefore, spoiledAfter []float64
	for i := range 400 {
		was, is := r.Float64(), 0.0
		if i < 40 { // a tenth of the archive
			is = was * 0.6
			spoiledBefore, spoiledAfter = append(spoiledBefore, was), append(spoiledAfter, is)
		} else {
			is = was + 0.1
		}
		serving, candidate = append(serving, was), append(candidate, is)
	}
	table.add("halves", "MRR", serving, candidate, eval.Level, 1)
	table.decide()
	if !table.Promote {
		t.Fatalf("the mean alone: %s", table.Reason)
	}
	table.add("halves of the small culture", "MRR", spoiledBefore, spoiledAfter, 0.995, 1)
	table.decide()
	if table.Promote || !strings.Contains(table.Reason, "halves of the small culture MRR") {
		t.Errorf("one culture is spoiled: %v, %s", table.Promote, table.Reason)
	}
}
