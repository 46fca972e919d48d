package dataset

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/learner/train"
)

func settings(t *testing.T) Config {
	t.Helper()
	words, err := text.NewEncoder(text.Config{Dim: 32, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	shape := infer.Config{Text: 32, Facts: facts.Dim, Image: 3, Width: 8, Bases: 2, Heads: 4, Relations: refresh.Relations, Types: refresh.Relations / 2, Seed: 1}
	return Config{Words: words, Shape: shape.Shape()}
}

// put adds a record with a timestamp of second at.
func put(t *testing.T, m *Memory, at int, id, raw string, v Vectors) {
	t.Helper()
	if err := m.Put(&graphstore.Doc{ID: id, Raw: []byte(raw), Timestamp: time.Unix(int64(at), 0).UTC()}, v); err != nil {
		t.Fatal(err)
	}
}

func snapshotOf(t *testing.T, m *Memory, cfg Config, limit int, until time.Time) *Dataset {
	t.Helper()
	d, err := Make(t.Context(), m, cfg, limit, until)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// raws returns invented records, r0, r1, ...
func raws(n int) []string {
	rng := rand.New(rand.NewPCG(7, 7))
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(`{"title":"bowl %d","description":"Of clay. From grave %d.","culture":["c%d"],"creator":["m%d"],"link":[{"type":"related","target":"r%d"}]}`,
			i, rng.IntN(9), rng.IntN(3), rng.IntN(n/5), (i+1+rng.IntN(n-1))%n))
	}
	return out
}

func archive(t *testing.T, n int) *Memory {
	t.Helper()
	m := NewMemory()
	for i, raw := range raws(n) {
		put(t, m, i, fmt.Sprint("r", i), raw, Vectors{Image: []float32{float32(i), 1, 0}})
	}
	return m
}

// edges returns the edges of a set: which node reads which by what relation.
func edges(t *testing.T, s *train.Set) any {
	t.Helper()
	_, block, err := s.FullBlock()
	if err != nil {
		t.Fatal(err)
	}
	return block.Layers[0][0]
}

// TestWhatASetIs follows three artifacts by hand: what each reads, which share a rare entity, are related and linked.
func TestWhatASetIs(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	for at, r := range [][2]string{
		{"a", `{"title":"a cup","material":["clay"],"culture":["Greek"],"link":[{"type":"related","target":"b"},{"type":"related","target":"not there"}]}`},
		{"b", `{"title":"a bowl","material":["Clay"],"culture":["greek"],"theme":{"motif":["star"]}}`},
		{"c", `{"title":"a jar","material":["clay"]}`},
	} {
		put(t, m, at, r[0], r[1], Vectors{})
	}
	if heldOut(graphstore.ID(graphstore.Artifact, "a"), graphstore.ID(graphstore.Artifact, "b")) {
		t.Fatal("the link of a and b is held out: choose other ids")
	}
	cfg := settings(t)
	d := snapshotOf(t, m, cfg, 10, time.Time{})
	of := func(d *Dataset, id string) train.Artifact { return d.Set.Artifacts()[slices.Index(d.IDs, id)] }
	a, b, c := of(d, "a"), of(d, "b"), of(d, "c")
	want := []int32{b.Node, c.Node}
	slices.Sort(want)
	if !slices.Equal(a.Rare, want) || !slices.Equal(a.Related, want) || !slices.Equal(a.Links, []int32{b.Node}) {
		t.Errorf("a shares with %v, is kin of %v, linked to %v; b is %d, c %d", a.Rare, a.Related, a.Links, b.Node, c.Node)
	}
	if a.Culture != b.Culture || a.Culture < 0 || c.Culture >= 0 {
		t.Errorf("cultures %d %d %d", a.Culture, b.Culture, c.Culture)
	}
	if len(d.Links) != 0 || d.Themes == nil || !d.Until.Equal(time.Unix(2, 0)) {
		t.Errorf("links held out %v, themes %v, until %v", d.Links, d.Themes, d.Until)
	}
	var origins []bool
	for _, p := range a.Parts { // title, culture, material
		origins = append(origins, p.Origin)
	}
	if !slices.Equal(origins, []bool{false, true, false}) {
		t.Errorf("origins of a: %v", origins)
	}

	hand := train.NewBuilder(cfg.Shape)
	for range d.Set.Nodes() {
		hand.AddNode(make([]float32, cfg.Shape.Modalities[0].Features))
	}
	culture, clay := a.Parts[1].Edges[0].To, a.Parts[2].Edges[0].To
	both := func(from, to int32, rel graphstore.Relation) {
		hand.AddEdge(from, train.Edge{To: to, Relation: int32(refresh.RelationIndex(rel))})
		hand.AddEdge(to, train.Edge{To: from, Relation: int32(refresh.RelationIndex(rel | graphstore.Inverse))})
	}
	both(a.Node, b.Node, graphstore.RelLink)
	for _, x := range []int32{a.Node, b.Node, c.Node} {
		both(x, clay, graphstore.Relation(graphstore.Material))
	}
	both(a.Node, culture, graphstore.Relation(graphstore.Culture))
	both(b.Node, culture, graphstore.Relation(graphstore.Culture))
	byHand, err := hand.Build(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(edges(t, d.Set), edges(t, byHand)) {
		t.Error("nodes read others than by hand")
	}

	cfg.MaxRareMembers = 2
	few := snapshotOf(t, m, cfg, 10, time.Time{})
	if rare := of(few, "c").Rare; len(rare) != 0 {
		t.Errorf("clay has three members, of two at most, and c shares with %v", rare)
	}
	if rare := of(few, "a").Rare; !slices.Equal(rare, []int32{b.Node}) {
		t.Errorf("Greek has two members, and a shares with %v", rare)
	}
	cfg.WithoutGraph = true
	for _, x := range snapshotOf(t, m, cfg, 10, time.Time{}).Set.Artifacts() {
		if len(x.Rare)+len(x.Links)+len(x.Related)+len(x.Parts[1].Edges) != 0 {
			t.Errorf("without a graph: %+v", x)
		}
	}
}

// TestOrderOfArrival: it decides nothing, nor does what was replaced; and a record that came later than asked for does
// not count.
func TestOrderOfArrival(t *testing.T) {
	t.Parallel()
	m, all := archive(t, 60), raws(60)
	want := snapshotOf(t, m, settings(t), 40, time.Time{})
	other := NewMemory()
	for i := range all {
		put(t, other, i, fmt.Sprint("r", i), `{"title":"what was replaced","culture":["C0","C1"]}`, Vectors{})
	}
	for i := len(all) - 1; i >= 0; i-- {
		put(t, other, i, fmt.Sprint("r", i), all[i], Vectors{Image: []float32{float32(i), 1, 0}})
	}
	same := func(what string, d *Dataset) {
		t.Helper()
		if d.Watermark != want.Watermark || !slices.Equal(d.IDs, want.IDs) || !slices.Equal(d.Links, want.Links) {
			t.Errorf("%s: %s, %v; want %s, %v", what, d.Watermark, d.IDs, want.Watermark, want.IDs)
		}
		if !reflect.DeepEqual(d.Set.Artifacts(), want.Set.Artifacts()) || !reflect.DeepEqual(edges(t, d.Set), edges(t, want.Set)) {
			t.Errorf("%s: the sets differ", what)
		}
	}
	same("in another order", snapshotOf(t, other, settings(t), 40, time.Time{}))
	if len(want.IDs) != 40 || len(want.Links) == 0 {
		t.Fatalf("%d artifacts, links held out %v", len(want.IDs), want.Links)
	}
	for i := range 30 {
		put(t, other, 100+i, fmt.Sprint("later", i), `{"title":"bowl","creator":["m1"]}`, Vectors{})
	}
	same("after others came", snapshotOf(t, other, settings(t), 40, time.Unix(99, 0)))
	put(t, other, 1, want.IDs[3], all[0], Vectors{})
	if d := snapshotOf(t, other, settings(t), 40, time.Unix(99, 0)); d.Watermark == want.Watermark {
		t.Error("one was replaced, and the watermark is the same")
	}
}

// TestWatermark: the Watermark changes with everything that a Set is made of.
func TestWatermark(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for name, v := range map[string]struct {
		id, raw string
		at      int
		image   []float32
		label   string
	}{
		"it":             {"a", `{"culture":[{"id":"u","label":"x"}]}`, 1, []float32{1, 2, 3}, "x"},
		"another id":     {"b", `{"culture":[{"id":"u","label":"x"}]}`, 1, []float32{1, 2, 3}, "x"},
		"another record": {"a", `{"culture":[{"id":"u","label":"x"}] }`, 1, []float32{1, 2, 3}, "x"},
		"another time":   {"a", `{"culture":[{"id":"u","label":"x"}]}`, 2, []float32{1, 2, 3}, "x"},
		"another vector": {"a", `{"culture":[{"id":"u","label":"x"}]}`, 1, []float32{1, 2, 4}, "x"},
		"no vector":      {"a", `{"culture":[{"id":"u","label":"x"}]}`, 1, nil, "x"},
		"another label":  {"a", `{"culture":[{"id":"u","label":"x"}]}`, 1, []float32{1, 2, 3}, "a"},
	} {
		m := NewMemory()
		put(t, m, v.at, v.id, v.raw, Vectors{Image: v.image})
		put(t, m, 9, "later", fmt.Sprintf(`{"culture":[{"id":"u","label":%q}]}`, v.label), Vectors{})
		mark := snapshotOf(t, m, settings(t), 10, time.Unix(8, 0)).Watermark
		if was, ok := seen[mark]; ok {
			t.Errorf("%s has the watermark of %s", name, was)
		}
		seen[mark] = name
	}
}

// TestHeldLinks: a link is known to both artifacts or held out, and then it keeps them from being negatives only.
func TestHeldLinks(t *testing.T) {
	t.Parallel()
	d := snapshotOf(t, archive(t, 100), settings(t), 1000, time.Time{})
	artifacts := d.Set.Artifacts()
	for _, l := range d.Links {
		for _, p := range [][2]int32{l, {l[1], l[0]}} {
			x, y := artifacts[p[0]], artifacts[p[1]]
			if slices.Contains(x.Links, y.Node) || !slices.Contains(x.Related, y.Node) {
				t.Errorf("%s and %s: linked %v, kin %v", d.IDs[p[0]], d.IDs[p[1]], x.Links, x.Related)
			}
		}
	}
	known := 0
	for _, a := range artifacts {
		for _, node := range a.Links {
			i := slices.IndexFunc(artifacts, func(b train.Artifact) bool { return b.Node == node })
			if !slices.Contains(artifacts[i].Links, a.Node) {
				t.Errorf("%d knows its link to %d, which does not", a.Node, node)
			}
			known++
		}
	}
	if len(d.Links) < 10 || len(d.Links) > 35 || known < 130 {
		t.Errorf("of 100 links %d are held out, and %d ends know theirs", len(d.Links), known)
	}
}

// TestAllPiecesAreTheRecord: what all pieces show together is the record's whole text, its facts and its edges.
func TestAllPiecesAreTheRecord(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	begin, lat, lon := 1210.0, 34.5, 50.9
	a := &profile.Artifact{
		ID: "x", Language: "en", Title: "Star tile", Description: "Lustre over white. From the shrine at Qom.  Broken in two... and mended.",
		Culture: []profile.Term{{Label: "Ilkhanid"}, {ID: "http://example.org/i", Label: "Persian"}},
		Date:    &profile.Date{Begin: &begin, Text: "about 1210"}, Location: &profile.Location{Lat: lat, Lon: lon},
		Media: []profile.Media{{Kind: "text", Text: "A verse.", Language: "fa"}},
	}
	idf := func(bucket uint32) float32 { return 1 + float32(bucket%7) }
	b, err := NewBuilder(cfg, idf, NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	node, err := b.Add(RecordOf(a, Vectors{}))
	if err != nil {
		t.Fatal(err)
	}
	d, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float32, cfg.Shape.Modalities[0].Features)
	cfg.Words.Project(cfg.Words.AnalyzeTexts(weave.Texts(a)), idf, want[:cfg.Words.Dim()])
	facts.Encode(&begin, nil, &lat, &lon, want[cfg.Words.Dim():cfg.Words.Dim()+facts.Dim])
	want[cfg.Words.Dim()+facts.Dim+int(graphstore.Artifact)] = 1
	if got := recordOf(t, d.Set, node); !slices.Equal(got, want) {
		t.Errorf("the record is\n%v\nwant\n%v", got, want)
	}
	var got, all []graphstore.EdgeSpec
	for _, p := range weave.Pieces(a) {
		got = append(got, p.Edges...)
	}
	for _, e := range weave.Edges(a) {
		if e.Type.IsEntity() {
			all = append(all, e)
		}
	}
	if !slices.Equal(got, all) {
		t.Errorf("edges %v, want %v", got, all)
	}
}

// recordOf returns the features of a node's record.
func recordOf(t *testing.T, s *train.Set, node int32) []float32 {
	t.Helper()
	features, block, err := s.FullBlock()
	if err != nil {
		t.Fatal(err)
	}
	rows := block.Rows[0]
	if rows.Start[node+1]-rows.Start[node] != 1 {
		t.Fatalf("node %d has no record", node)
	}
	out := make([]float32, features[0].Cols)
	features[0].Rows[rows.Source[rows.Start[node]]].Scatter(out)
	return out
}

// TestTextVectors: what another encoder made of a text is read whole, and words are not.
func TestTextVectors(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	cfg.TextVectors = true
	m := NewMemory()
	v := make([]float32, cfg.Words.Dim())
	v[3] = 7
	put(t, m, 1, "a", `{"title":"a cup","culture":["Greek"]}`, Vectors{Text: v})
	put(t, m, 1, "b", `{"title":"a cup","culture":["Greek"]}`, Vectors{})
	d := snapshotOf(t, m, cfg, 10, time.Time{})
	for i, a := range d.Set.Artifacts() {
		want := v
		if d.IDs[i] == "b" {
			want = make([]float32, len(v))
		}
		if got := recordOf(t, d.Set, a.Node)[:len(v)]; !slices.Equal(got, want) {
			t.Errorf("%s: %v", d.IDs[i], got)
		}
	}
}

// endsAfter is an archive whose reader gives up after some artifacts.
type endsAfter struct {
	*Memory
	vectors int
	end     context.CancelCauseFunc
}

var errEnough = errors.New("enough")

func (e *endsAfter) Vectors(artifact graphstore.NodeID) (Vectors, error) {
	if e.vectors--; e.vectors == 0 {
		e.end(errEnough)
	}
	return e.Memory.Vectors(artifact)
}

// TestMakeEndsWithItsContext: a snapshot of a large archive takes minutes, and a daemon must not wait for it to stop.
func TestMakeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 1, 7} {
		ctx, end := context.WithCancelCause(t.Context())
		from := &endsAfter{archive(t, 20), after, end}
		if after == 0 {
			end(errEnough)
		}
		if _, err := Make(ctx, from, settings(t), 20, time.Time{}); !errors.Is(err, errEnough) {
			t.Errorf("ended after %d artifacts: %v", after, err)
		}
		if from.vectors < 0 {
			t.Errorf("ended after %d artifacts, it has read %d more", after, -from.vectors)
		}
	}
}
