package pipeline

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"kilim/consumer/profile"
	"kilim/daemon/demo"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode"
	"kilim/learner/encode/feature"
	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/train"
	"kilim/learner/train/dataset"
)

// TestDatasetIsTheArchive: an untrained model embeds the snapshot as the daemon has embedded the archive. (Each
// by its own code: on a tape, all at once; and step by step, from running sums.)
func TestDatasetIsTheArchive(t *testing.T) {
	t.Parallel()
	for _, options := range []model.Options{{Layers: 2}, {Layers: 3}, {Layers: 2, Aggregator: model.AggregatorAttention}} {
		t.Run(fmt.Sprint(options.Layers, options.Aggregator), func(t *testing.T) {
			t.Parallel()
			cfg := exact()
			cfg.Model.Layers, cfg.Model.Aggregator = options.Layers, options.Aggregator
			datasetIsTheArchive(t, cfg)
		})
		t.Run(fmt.Sprint(options.Layers, options.Aggregator, " media as nodes"), func(t *testing.T) {
			t.Parallel()
			cfg := withMediaNodes()
			cfg.Model.Layers, cfg.Model.Aggregator = options.Layers, options.Aggregator
			datasetIsTheArchive(t, cfg)
		})
	}
}

func datasetIsTheArchive(t *testing.T, cfg Config) {
	t.Helper()
	changes, live := mediaHistory(4, 120, 30)
	s := newSite(t, cfg)
	s.must(s.apply(changes))
	s.must(s.encodeAll())
	s.must(s.settle())
	d, err := s.engine.Archive().Dataset(t.Context(), 1000, time.Time{})
	s.must(err)
	again, err := s.engine.Archive().Dataset(t.Context(), 1000, time.Time{})
	s.must(err)
	if d.Watermark != again.Watermark || !slices.Equal(d.IDs, again.IDs) || !slices.Equal(d.Links, again.Links) {
		t.Error("two snapshots of one state differ")
	}
	if len(d.IDs) != len(live) {
		t.Fatalf("%d artifacts, %d live", len(d.IDs), len(live))
	}
	m, err := model.New(s.engine.cfg.Model.Shape())
	s.must(err)
	weights, err := m.Weights(s.engine.model.Weights(), nil)
	s.must(err)
	pool, err := par.New(1)
	s.must(err)
	defer pool.Close()
	rows, err := train.Embed(d.Set, m, weights, pool)
	s.must(err)
	compared := 0
	s.must(s.store.View(func(r *graphstore.Reader) error {
		for i, id := range d.IDs {
			n, err := stored(r, id)
			if err != nil {
				return err
			}
			if hasLinks(r, n.ID) {
				continue // the set leaves placeholders and some links out
			}
			compared++
			row := rows.Row(int(d.Set.Artifacts()[i].Node))
			for j, x := range n.Embedding {
				if math.Abs(float64(x-row[j])) > 1e-3 {
					t.Fatalf("%s: E[%d] is %v in the archive, %v of the snapshot", id, j, x, row[j])
				}
			}
		}
		return nil
	}))
	if compared == 0 {
		t.Error("nothing was compared")
	}
	if small, err := s.engine.Archive().Dataset(t.Context(), 5, time.Time{}); err != nil || len(small.IDs) != 5 || !slices.Equal(small.IDs, d.IDs[:5]) {
		t.Errorf("a sample of 5: %v %v", small, err)
	}
}

func hasLinks(r *graphstore.Reader, id graphstore.NodeID) bool {
	found := false
	_ = r.Edges(id, func(e graphstore.Edge) bool {
		found = found || e.Rel&^graphstore.Inverse == graphstore.RelLink
		return true
	})
	return found
}

// TestPiecesMakeTheRecord: all pieces together are what the daemon makes of the artifact.
func TestPiecesMakeTheRecord(t *testing.T) {
	t.Parallel()
	s := newSite(t, exact())
	begin, lat := 1210.0, 34.5
	a := &profile.Artifact{
		ID: "x", Language: "en", Title: "Star tile", Description: "Lustre over white. From the shrine at Qom.  Broken in two... and mended.",
		Culture: []profile.Term{{Label: "Ilkhanid"}, {ID: "http://example.org/i", Label: "Persian"}}, Material: []profile.Term{{ID: "http://example.org/clay"}},
		Date:     &profile.Date{Begin: &begin, Text: "about 1210"},
		Location: &profile.Location{Lat: lat, Lon: 50.9},
		Media:    []profile.Media{{Kind: "text", Text: "Inscribed around the rim."}, {Kind: "text", Text: "A verse.", Language: "fa"}},
	}
	s.must(s.apply([]change{{"y", map[string]any{"title": "Lustre tile"}}}))
	e := s.engine
	b, err := dataset.NewBuilder(e.Archive().datasetConfig(), e.words.Table.IDF, dataset.NewMemory())
	s.must(err)
	node, err := b.Add(dataset.RecordOf(a, dataset.Vectors{}))
	s.must(err)
	d, err := b.Build()
	s.must(err)
	features, block, err := d.Set.FullBlock()
	s.must(err)
	w := e.words.Extract(a)
	f := e.words.Features(w, encode.Vectors{})
	words := make([]float32, f.Text.Length)
	f.Text.Scatter(words)
	want := slices.Concat(words, f.Facts, make([]float32, e.cfg.Model.Types))
	want[len(words)+len(f.Facts)+int(graphstore.Artifact)] = 1
	got := make([]float32, features[0].Cols)
	features[0].Rows[block.Rows[0].Source[node]].Scatter(got)
	if !slices.Equal(got, want) {
		t.Error("the pieces' features are not the record's")
	}
	edges := map[string]bool{}
	for _, p := range weave.Pieces(a) {
		for _, edge := range p.Edges {
			edges[fmt.Sprint(edge)] = true
		}
	}
	for _, edge := range w.Edges {
		if edge.Rel != graphstore.RelMedia && !edges[fmt.Sprint(edge)] {
			t.Errorf("no piece has the edge %+v", edge)
		}
		delete(edges, fmt.Sprint(edge))
	}
	if len(edges) > 0 {
		t.Errorf("the pieces have edges that the record has not: %v", edges)
	}
}

// TestSameSetInMemory: of the same records an archive in memory, which is what experiments measure, gives the same set as
// the daemon, to the bit.
func TestSameSetInMemory(t *testing.T) {
	t.Parallel()
	cfg := exact()
	cfg.Encoders.Image, cfg.Model.Image = encode.Precomputed{ID: feature.Identity{Name: "clip", Version: 1, Dim: 3}}, 3
	s := newSite(t, cfg)
	memory := dataset.NewMemory()
	var changes []change
	s.must(demo.Each(demo.Options{Artifacts: 200, Seed: 1}, func(raw []byte, id string) error {
		var fields map[string]any
		if err := json.Unmarshal(raw, &fields); err != nil {
			return err
		}
		i := len(changes)
		var v dataset.Vectors
		if i%3 > 0 {
			v.Image = []float32{1, float32(i), 2}
			fields["media"] = []any{map[string]any{"kind": "image", "uri": "http://example.org/i.png", "encoder": "clip", "embedding": slices.Clone(v.Image)}}
			feature.Scale(v.Image, 1)
		}
		// Entities by URI, that not everybody calls the same; a place on the map; several languages.
		fields["style"] = map[string]any{"id": fmt.Sprint("http://example.org/style/", i%7), "label": []string{"Style", "style", "Manner"}[i%3]}
		fields["location"] = map[string]any{"lat": float64(i%90) + 0.5, "lon": float64(i)/2 - 50}
		fields["language"] = []string{"en", "de", "fr", ""}[i%4]
		fields["link"] = []any{map[string]any{"type": "related", "target": demo.ID((i*7 + 1) % 200)}, map[string]any{"type": "part_of", "target": "elsewhere"}}
		c := change{id, fields}
		changes = append(changes, c)
		item := c.item(int64(i))
		return memory.Put(&graphstore.Doc{ID: id, Raw: item.Value, Timestamp: item.Time.UTC()}, v)
	}))
	s.must(s.apply(changes))
	for _, limit := range []int{1000, 50} {
		d, err := s.engine.Archive().Dataset(t.Context(), limit, time.Time{})
		s.must(err)
		m, err := dataset.Make(t.Context(), memory, s.engine.Archive().datasetConfig(), limit, time.Time{})
		s.must(err)
		if d.Watermark != m.Watermark {
			t.Errorf("%d: what goes into the sets differs: %s and %s", limit, d.Watermark, m.Watermark)
		}
		if !slices.Equal(d.IDs, m.IDs) || !slices.Equal(d.Cultures, m.Cultures) || !slices.Equal(d.Links, m.Links) || !reflect.DeepEqual(d.Themes, m.Themes) {
			t.Errorf("%d: artifacts, cultures, themes or links held out differ", limit)
		}
		if !reflect.DeepEqual(d.Set.Artifacts(), m.Set.Artifacts()) {
			t.Errorf("%d: parts, links or what is rare differ", limit)
		}
		features, block, err := d.Set.FullBlock()
		s.must(err)
		inMemory, its, err := m.Set.FullBlock()
		s.must(err)
		if !reflect.DeepEqual(features, inMemory) || !reflect.DeepEqual(block, its) {
			t.Errorf("%d: features or edges differ", limit)
		}
		if limit == 1000 && (len(d.IDs) != 200 || len(d.Links) == 0 || len(features[1].Rows) == 0 || d.Themes == nil) {
			t.Errorf("%d artifacts, %d links held out, %d rows of pictures: something was not compared", len(d.IDs), len(d.Links), len(features[1].Rows))
		}
	}
	mix, err := s.engine.Archive().Mix(50)
	s.must(err)
	if its, err := dataset.Mix(memory, 50); err != nil || !reflect.DeepEqual(mix, its) || len(mix["culture"]) < 2 {
		t.Errorf("the mix is %v, in memory %v (%v)", mix, its, err)
	}
}

// TestDatasetOfThen: a snapshot is the same again when others have come, and another when one of its own has changed.
func TestDatasetOfThen(t *testing.T) {
	t.Parallel()
	changes, live := history(5, 120, 30)
	s := newSite(t, exact())
	s.must(s.apply(changes))
	then, err := s.engine.Archive().Dataset(t.Context(), 20, time.Time{})
	s.must(err)
	again := func() *dataset.Dataset {
		d, err := s.engine.Archive().Dataset(t.Context(), 20, then.Until)
		s.must(err)
		return d
	}
	for i := range 30 {
		s.must(s.apply([]change{{fmt.Sprintf("later/%d", i), map[string]any{"title": "a carpet with a star", "culture": "culture 1"}}}))
	}
	if d := again(); d.Watermark != then.Watermark || !slices.Equal(d.IDs, then.IDs) {
		t.Errorf("after others have come it is\n%s, it was\n%s", d.Watermark, then.Watermark)
	}
	all, err := s.engine.Archive().Dataset(t.Context(), 1000, time.Time{})
	s.must(err)
	if len(all.IDs) != len(live)+30 || !all.Until.After(then.Until) {
		t.Errorf("the whole has %d artifacts until %v", len(all.IDs), all.Until)
	}
	s.must(s.apply([]change{{then.IDs[3], map[string]any{"title": "another"}}}))
	if d := again(); d.Watermark == then.Watermark {
		t.Error("it is the same with one replaced")
	}
}
