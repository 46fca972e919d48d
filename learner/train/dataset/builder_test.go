package dataset

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/text"
	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
	"kilim/learner/train"
)

// add adds all of an archive's artifacts, in their order, and returns their records.
func add(t *testing.T, b *Builder, m *Memory) []Record {
	t.Helper()
	var out []Record
	ids, err := m.ArtifactsAfter(0, m.Len())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		_, a, err := weave.Read(m, id)
		if err != nil {
			t.Fatal(err)
		}
		v, err := m.Vectors(graphstore.ID(graphstore.Artifact, id))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, RecordOf(a, v))
		if _, err := b.Add(out[len(out)-1]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func builder(t *testing.T, cfg Config, m *Memory) *Builder {
	t.Helper()
	table := text.NewTable()
	for _, s := range m.artifacts {
		a, err := weave.Parse(s.doc)
		if err != nil {
			t.Fatal(err)
		}
		table.Add(cfg.Words.AnalyzeTexts(weave.Texts(a)), 1)
	}
	b, err := NewBuilder(cfg, table.IDF, m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func built(t *testing.T, b *Builder) *Dataset {
	t.Helper()
	d, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestBuilderMakesTheSame: whole records, in their order, are the set that Make makes.
func TestBuilderMakesTheSame(t *testing.T) {
	t.Parallel()
	m, cfg := archive(t, 50), settings(t)
	b := builder(t, cfg, m)
	records := add(t, b, m)
	if _, err := b.Add(records[7]); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("the same artifact again: %v", err)
	}
	got, want := built(t, b), snapshotOf(t, m, cfg, 1000, time.Time{})
	if !slices.Equal(got.IDs, want.IDs) || !slices.Equal(got.Cultures, want.Cultures) || !slices.Equal(got.Links, want.Links) {
		t.Error("artifacts, cultures or links held out differ")
	}
	features, block, err := got.Set.FullBlock()
	if err != nil {
		t.Fatal(err)
	}
	theirs, their, err := want.Set.FullBlock()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(features, theirs) || !reflect.DeepEqual(block, their) || !reflect.DeepEqual(got.Set.Artifacts(), want.Set.Artifacts()) {
		t.Error("the sets differ")
	}
}

// TestQueries: nobody sees a query, and one that shows all of an artifact sees what that does.
func TestQueries(t *testing.T) {
	t.Parallel()
	m, cfg := archive(t, 50), settings(t)
	for i, raw := range []string{
		`{"title":"bowl 3","culture":["c0"],"creator":["m1"],"description":"Of clay."}`,
		`{"title":"knife","culture":["c1"],"creator":["nobody else"]}`,
	} {
		put(t, m, 90+i, "unlinked"+string(rune('0'+i)), raw, Vectors{Image: []float32{1, 2, 3}})
	}
	alone := builder(t, cfg, m)
	add(t, alone, m)
	asked := builder(t, cfg, m)
	records := add(t, asked, m)
	queries := map[string]int32{}
	for _, r := range records {
		r.Query = true
		node, err := asked.Add(r)
		if err != nil {
			t.Fatal(err)
		}
		queries[r.ID] = node
	}
	without, with := built(t, alone), built(t, asked)
	if !slices.Equal(with.IDs, without.IDs) || !slices.Equal(with.Links, without.Links) || !reflect.DeepEqual(with.Set.Artifacts(), without.Set.Artifacts()) {
		t.Error("the queries are among the artifacts")
	}
	z, undisturbed := embedded(t, cfg.Shape, with.Set), embedded(t, cfg.Shape, without.Set)
	for node := range without.Set.Nodes() {
		if !slices.Equal(z.Row(node), undisturbed.Row(node)) {
			t.Fatalf("node %d sees a query", node)
		}
	}
	for _, id := range []string{"unlinked0", "unlinked1"} {
		own := with.Set.Artifacts()[slices.Index(with.IDs, id)].Node
		if q := z.Row(int(queries[id])); !slices.Equal(q, z.Row(int(own))) {
			t.Errorf("%s asks with %v, and is %v", id, q, z.Row(int(own)))
		}
	}
}

// embedded returns the embeddings of a set by a seeded model.
func embedded(t *testing.T, shape model.Config, s *train.Set) tape.Matrix {
	t.Helper()
	m, err := model.New(shape)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := par.New(1)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	z, err := train.Embed(s, m, m.Init(), pool)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestQueryReadsLinks: an artifact's links are in its query, but for those held out, and nobody reads the query by
// them.
func TestQueryReadsLinks(t *testing.T) {
	t.Parallel()
	m, cfg := NewMemory(), settings(t)
	for i := range 30 {
		put(t, m, i, fmt.Sprint("r", i), `{"title":"a cup"}`, Vectors{})
	}
	b, hand := builder(t, cfg, m), train.NewBuilder(cfg.Shape)
	q := Record{ID: "r3", Query: true, Links: []string{"not there", "r3"}}
	for range 31 {
		hand.AddNode(make([]float32, cfg.Shape.Modalities[0].Features))
	}
	known := 0
	for i, r := range add(t, b, m) {
		if r.ID == q.ID {
			continue // it would find itself by that
		}
		q.Links = append(q.Links, r.ID)
		if !heldOut(graphstore.ID(graphstore.Artifact, q.ID), graphstore.ID(graphstore.Artifact, r.ID)) {
			hand.AddEdge(30, linkTo(b.artifacts[i].artifact.Node))
			known++
		}
	}
	if known < 15 || known == 29 {
		t.Fatalf("%d of 29 links are not held out", known)
	}
	if node, err := b.Add(q); err != nil || node != 30 {
		t.Fatalf("the query is node %d (%v)", node, err)
	}
	byHand, err := hand.Build(nil)
	if err != nil {
		t.Fatal(err)
	}
	d := built(t, b)
	if len(d.IDs) != 30 || !reflect.DeepEqual(edges(t, d.Set), edges(t, byHand)) {
		t.Error("nodes read others than by hand")
	}
}
