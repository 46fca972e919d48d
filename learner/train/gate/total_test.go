package gate

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
	"kilim/learner/tensor/vec"
)

// lists says that all are a little alike, by their numbers, and nothing of some.
type lists struct {
	cosine float32
	lost   map[int32]bool
	// hid counts what the tasks hid.
	hid map[Hidden]int
}

func (l *lists) Cosine() float32 { return l.cosine }

func (l *lists) rest(a, b int32) float32 {
	if l.lost[a] {
		return float32(math.NaN())
	}
	return float32((a*31+b*17)%97) / 97 * 0.05
}

func (l *lists) Rest(_ context.Context, ids []string, asked []int32, hidden Hidden, fn func(int32, []float32)) error {
	l.hid[hidden]++
	for other := range int32(len(ids)) {
		if l.lost[other] {
			continue
		}
		rest := make([]float32, len(asked))
		for i, a := range asked {
			rest[i] = l.rest(a, other)
		}
		fn(other, rest)
	}
	return nil
}

// TestTotal: a candidate that spoils the embeddings is refused for the list total too, by origins, links and themes; the same model
// changes nothing in it, nor does any where embeddings do not count.
func TestTotal(t *testing.T) {
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
	material, good := village(t, cfg), m.Init()
	data := slices.Clone(good.Data)
	rng := rand.New(rand.NewPCG(5, 5))
	for _, p := range m.Params() {
		w := data[p.Offset : p.Offset+p.Rows*p.Cols]
		rng.Shuffle(len(w), func(i, j int) { w[i], w[j] = w[j], w[i] })
	}
	spoiled, err := m.Weights(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		candidate *model.Weights
		cosine    float32
		verdict   string
		kept      func(*Published) bool
	}{
		"the same":                 {good, 1, "level", func(p *Published) bool { return p.Kept == 1 && p.First == 1 }},
		"embeddings do not count":  {spoiled, 0, "level", func(p *Published) bool { return p.Kept == 1 && p.First == 1 }},
		"spoiled, with lost lists": {spoiled, 1, "worse", func(p *Published) bool { return p.Kept < 0.5 }},
	} {
		known := &lists{cosine: c.cosine, lost: map[int32]bool{}, hid: map[Hidden]int{}}
		if strings.Contains(name, "lost") {
			for i := range int32(10) {
				known.lost[material.HeldOut[i]] = true
			}
		}
		judged := material
		judged.Lists = known
		table, err := Compare(context.Background(), judged, Model{Shape: m, Weights: good}, Model{Shape: m, Weights: c.candidate}, pool)
		if err != nil {
			t.Fatal(err)
		}
		rows := map[string]Row{}
		for _, r := range table.Rows {
			rows[r.Task+" "+r.Metric] = r
		}
		for _, task := range []string{"total origins accuracy", "total links nDCG@10", "total themes nDCG@10"} {
			r, ok := rows[task]
			if worse := r.Gain.High < 0; !ok || worse != (c.verdict == "worse") || worse && table.Promote || r.Queries > mostAsked {
				t.Errorf("%s: %s: %+v", name, task, r)
			}
		}
		if p := table.Published; p == nil || p.Lists == 0 || !c.kept(p) {
			t.Errorf("%s: published %+v", name, p)
		}
		if h := known.hid; h[Hidden{Origins: true}] != 1 || h[Hidden{Links: true}] != 1 || h[Hidden{}] != 2 {
			t.Errorf("%s: hidden %v", name, h)
		}
		var out bytes.Buffer
		if err := table.Print(&out); err != nil || !strings.Contains(out.String(), fmt.Sprintf("lists total of %d held-out artifacts: ", table.Published.Lists)) {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
	}
}

// TestRank compares the lists that are made in one walk with those of everyone scored and sorted.
func TestRank(t *testing.T) {
	t.Parallel()
	const artifacts, dim, k = 60, 4, 7
	rng := rand.New(rand.NewPCG(2, 8))
	known := &lists{cosine: 0.4, lost: map[int32]bool{3: true, 9: true}, hid: map[Hidden]int{}}
	c := &contest{Benchmark: Benchmark{Lists: known}}
	for range artifacts {
		c.IDs = append(c.IDs, "")
	}
	for i := range c.spaces {
		rows := tape.Constant(artifacts, dim, make([]float32, artifacts*dim))
		for j := range rows.Data {
			rows.Data[j] = float32(rng.NormFloat64()) // longer than 1: the cosine is cut
		}
		c.spaces[i] = &embeddings{rows: rows}
	}
	asked := []int32{5, 3, 20}
	among := func(a int32) bool { return a%5 != 1 }
	found, err := c.rank(context.Background(), asked, c.rowsOf(asked), Hidden{}, among, k)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range c.spaces {
		for q, a := range asked {
			var all []scored
			for b := range int32(artifacts) {
				if b != a && among(b) && !known.lost[b] && !known.lost[a] {
					all = append(all, scored{b, known.rest(a, b) + 0.4*min(max(vec.Dot(s.rows.Row(int(a)), s.rows.Row(int(b))), -1), 1)})
				}
			}
			slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
			var want []int32
			for _, s := range all[:min(k, len(all))] {
				want = append(want, s.artifact)
			}
			if !slices.Equal(found[i][q], want) {
				t.Errorf("model %d, artifact %d: %v, want %v", i, a, found[i][q], want)
			}
		}
	}
}
