package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kilim/graphstore/weave"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/learner/train/dataset"
)

// feed writes a feed of n records, the first of them twice, and reads it.
func feed(t *testing.T, n int) *corpus {
	t.Helper()
	lines := []string{`{"id":"r0","title":"what was replaced"}`}
	for i := range n {
		lines = append(lines, fmt.Sprintf(`{"id":"r%d","title":"bowl %d","description":"Of clay. For wine. It is whole.","language":"en","culture":["c%d"],"creator":["m%d"],"location":{"lat":%d,"lon":7},"theme":{"motif":["star"]},"link":[{"type":"related","target":"r%d"}]}`,
			i, i%4, i%3, i%9, i%60, (i+3)%n))
	}
	file := filepath.Join(t.TempDir(), "feed.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func setsOf(t *testing.T, c *corpus) *sets {
	t.Helper()
	words, err := text.NewEncoder(text.Config{Dim: 32, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	shape := infer.Config{Text: 32, Facts: facts.Dim, Width: 8, Bases: 2, Heads: 4, Relations: refresh.Relations, Types: refresh.Relations / 2, Seed: 1}
	s, err := newSets(c, dataset.Config{Words: words, Shape: shape.Shape()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTrainingSetIsTheDaemons: the training set is what package dataset makes of an archive that has the records that
// are not set aside, and no others.
func TestTrainingSetIsTheDaemons(t *testing.T) {
	t.Parallel()
	c := feed(t, 40)
	s := setsOf(t, c)
	var rest []int
	archive := dataset.NewMemory()
	for i, r := range c.records {
		if i%4 == 0 {
			continue
		}
		rest = append(rest, i)
		if err := archive.Put(r.doc, dataset.Vectors{}); err != nil {
			t.Fatal(err)
		}
	}
	want, err := dataset.Make(t.Context(), archive, s.cfg, 1000, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.training(rest)
	if err != nil {
		t.Fatal(err)
	}
	features, block, err := got.FullBlock()
	if err != nil {
		t.Fatal(err)
	}
	theirs, their, err := want.Set.FullBlock()
	if err != nil {
		t.Fatal(err)
	}
	if len(want.IDs) != 30 || !reflect.DeepEqual(got.Artifacts(), want.Set.Artifacts()) || !reflect.DeepEqual(features, theirs) || !reflect.DeepEqual(block, their) {
		t.Error("it is another set")
	}
}

// TestDeal: every piece, picture and recording goes to one of the halves, and both get some.
func TestDeal(t *testing.T) {
	t.Parallel()
	c := feed(t, 10)
	if len(c.records) != 10 || c.records[0].Pieces[0].Texts[0].Body != "bowl 0" {
		t.Fatalf("%d records, the first is %+v", len(c.records), c.records[0])
	}
	whole := c.records[2].Record
	whole.Vectors = dataset.Vectors{Image: []float32{1}, Audio: []float32{2}}
	name := func(p weave.Piece) string { return fmt.Sprintf("%+v", p.Texts) + fmt.Sprint(p.Lat != nil) }
	names := func(pieces []weave.Piece) (out []string) {
		for _, p := range pieces {
			out = append(out, name(p))
		}
		return out
	}
	order := names(whole.Pieces)
	want := slices.Sorted(slices.Values(order))
	r, apart := rand.New(rand.NewPCG(1, 1)), 0
	for range 50 {
		one, other := splitRecord(r, whole)
		if len(one.Pieces)-len(other.Pieces) != len(whole.Pieces)%2 || one.ID != whole.ID || other.ID != whole.ID {
			t.Fatalf("%d and %d pieces of %d", len(one.Pieces), len(other.Pieces), len(whole.Pieces))
		}
		got := names(slices.Concat(one.Pieces, other.Pieces))
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Fatalf("dealt %v of %v", got, want)
		}
		if (one.Vectors.Image == nil) == (other.Vectors.Image == nil) || (one.Vectors.Audio == nil) == (other.Vectors.Audio == nil) {
			t.Fatalf("%+v and %+v", one.Vectors, other.Vectors)
		}
		if (one.Vectors.Image == nil) != (one.Vectors.Audio == nil) {
			apart++
		}
	}
	if apart == 0 || apart == 50 {
		t.Errorf("pictures and recordings were apart %d times of 50", apart)
	}
	if !slices.Equal(names(whole.Pieces), order) || whole.Vectors.Image == nil {
		t.Error("the record itself has changed")
	}
}

// TestHalvesAndOrigins: the halves that are queries are of the records that are set aside, behind all first halves; and
// the vote task shows no origin of those records.
func TestHalvesAndOrigins(t *testing.T) {
	t.Parallel()
	c := feed(t, 40)
	s := setsOf(t, c)
	test := []int{3, 9, 30}
	h, err := s.newHalfTask(test, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(h.own, test) || len(h.rows) != 40 || len(h.queries) != 3 || len(h.set.Artifacts()) != 40 {
		t.Errorf("%v asked, %d first halves, %d queries, %d artifacts", h.own, len(h.rows), len(h.queries), len(h.set.Artifacts()))
	}
	for i, own := range h.own {
		if slices.Contains(h.rows, h.queries[i]) || h.set.Artifacts()[own].Node != h.rows[own] {
			t.Errorf("query %d is node %d", i, h.queries[i])
		}
	}
	v, err := s.newVoteTask(test, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range v.set.Artifacts() {
		origins := 0
		for _, p := range a.Parts {
			if p.Origin {
				origins++
			}
		}
		if want := map[bool]int{true: 2, false: 0}[v.visible[i]]; origins != want || a.Node != v.nodes[i] {
			t.Errorf("record %d shows %d origins, want %d", i, origins, want)
		}
	}
}
