package pipeline

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode"
	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/train"
)

// TestDatasetIsTheArchive: an untrained model embeds the snapshot as the daemon has embedded the archive. (Each
// by its own code: on a tape, all at once; and step by step, from running sums.)
func TestDatasetIsTheArchive(t *testing.T) {
	t.Parallel()
	changes, live := history(4, 120, 30)
	s := newSite(t, exact())
	s.must(s.apply(changes))
	s.must(s.settle())
	d, err := s.engine.Dataset(1000, time.Time{})
	s.must(err)
	again, err := s.engine.Dataset(1000, time.Time{})
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
	team, err := par.New(1)
	s.must(err)
	defer team.Close()
	rows, err := train.Embed(d.Set, m, weights, team)
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
	if small, err := s.engine.Dataset(5, time.Time{}); err != nil || len(small.IDs) != 5 || !slices.Equal(small.IDs, d.IDs[:5]) {
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
	w := extract(e.encoder, a)
	r := &records{encoder: e.encoder, idf: e.table.IDF, cfg: e.cfg.Model}
	var parts []train.Part
	edges := map[string]bool{}
	for _, p := range weave.Pieces(a) {
		parts = append(parts, train.Part{Content: r.add(p)})
		for _, edge := range p.Edges {
			edges[fmt.Sprint(edge)] = true
		}
	}
	got := make([]float32, r.width())
	r.Encode(0, parts, got)
	f := e.featuresOf(w, encode.Vectors{})
	want := slices.Concat(f.Text, f.Facts, make([]float32, e.cfg.Model.Types))
	want[len(f.Text)+len(f.Facts)+int(graphstore.Artifact)] = 1
	if !slices.Equal(got, want) {
		t.Error("the pieces' features are not the record's")
	}
	for _, edge := range w.edges {
		if edge.Rel != graphstore.RelMedia && !edges[fmt.Sprint(edge)] {
			t.Errorf("no piece has the edge %+v", edge)
		}
		delete(edges, fmt.Sprint(edge))
	}
	if len(edges) > 0 {
		t.Errorf("the pieces have edges that the record has not: %v", edges)
	}
}

// TestDatasetOfThen: a snapshot is the same again when others have come, and another when one of its own has changed.
func TestDatasetOfThen(t *testing.T) {
	t.Parallel()
	changes, live := history(5, 120, 30)
	s := newSite(t, exact())
	s.must(s.apply(changes))
	then, err := s.engine.Dataset(20, time.Time{})
	s.must(err)
	again := func() *Dataset {
		d, err := s.engine.Dataset(20, then.Until)
		s.must(err)
		return d
	}
	for i := range 30 {
		s.must(s.apply([]change{{fmt.Sprintf("later/%d", i), map[string]any{"title": "a carpet with a star", "culture": "culture 1"}}}))
	}
	if d := again(); d.Watermark != then.Watermark || !slices.Equal(d.IDs, then.IDs) {
		t.Errorf("after others have come it is\n%s, it was\n%s", d.Watermark, then.Watermark)
	}
	all, err := s.engine.Dataset(1000, time.Time{})
	s.must(err)
	if len(all.IDs) != len(live)+30 || !all.Until.After(then.Until) {
		t.Errorf("the whole has %d artifacts until %v", len(all.IDs), all.Until)
	}
	s.must(s.apply([]change{{then.IDs[3], map[string]any{"title": "another"}}}))
	if d := again(); d.Watermark == then.Watermark {
		t.Error("it is the same with one replaced")
	}
}
