package dataset

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"kilim/graphstore"
)

// TestMemory: an entity is called what most artifacts call it now, once each; pages are in the order of nodes, and what
// is not there is nothing.
func TestMemory(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	u := graphstore.ID(graphstore.Culture, "u")
	called := func(want string) {
		t.Helper()
		n, err := m.Node(u)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if n != nil {
			got = n.DisplayLabel()
		}
		if got != want {
			t.Errorf("it is called %q, want %q", got, want)
		}
	}
	called("")
	put(t, m, 1, "a", `{"culture":[{"id":"u","label":"Y"},{"id":"u","label":"Y"},{"id":"u","label":"Z"}]}`, Vectors{})
	called("Y")
	put(t, m, 2, "b", `{"culture":[{"id":"u","label":"Z"}]}`, Vectors{Text: []float32{1}})
	called("Z")
	put(t, m, 3, "b", `{"culture":[{"id":"u","label":"X"}]}`, Vectors{Text: []float32{2}})
	called("X") // of three that are used once
	put(t, m, 4, "b", `{"title":"of no culture"}`, Vectors{Text: []float32{2}})
	put(t, m, 5, "a", `{"title":"of no culture"}`, Vectors{})
	called("")

	for i := range 300 {
		put(t, m, i, fmt.Sprint("n", i), `{"title":"a cup"}`, Vectors{})
	}
	var ids []string
	last := graphstore.NodeID(0)
	for {
		some, err := m.ArtifactsAfter(last, 7)
		if err != nil || len(some) > 7 {
			t.Fatal(some, err)
		}
		if len(some) == 0 {
			break
		}
		for _, id := range some {
			if n := graphstore.ID(graphstore.Artifact, id); n <= last {
				t.Fatalf("%q comes late", id)
			} else {
				last = n
			}
		}
		ids = append(ids, some...)
	}
	if len(ids) != m.Len() || m.Len() != 302 {
		t.Errorf("%d ids of %d artifacts", len(ids), m.Len())
	}
	if v, err := m.Vectors(graphstore.ID(graphstore.Artifact, "b")); err != nil || !slices.Equal(v.Text, []float32{2}) {
		t.Errorf("vectors %v (%v)", v, err)
	}
	if doc, err := m.Artifact("not there"); doc != nil || err != nil {
		t.Errorf("what is not there: %v (%v)", doc, err)
	}
}

// TestMix: the shares of cultures and types, of the artifacts of the smallest hashes, each counted once an artifact.
func TestMix(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	put(t, m, 1, "a", `{"culture":["Greek","greek"],"type":["cup"],"material":["clay"]}`, Vectors{})
	put(t, m, 2, "b", `{"culture":["Greek","Roman"]}`, Vectors{})
	put(t, m, 3, "c", `{"title":"of none"}`, Vectors{})
	mix, err := Mix(m, 10)
	if err != nil {
		t.Fatal(err)
	}
	var shares []float64
	for _, x := range mix["culture"] {
		shares = append(shares, x)
	}
	slices.Sort(shares)
	if len(shares) != 2 || math.Abs(shares[0]-1.0/3) > 1e-9 || math.Abs(shares[1]-2.0/3) > 1e-9 {
		t.Errorf("cultures %v, want a third and two", mix["culture"])
	}
	if len(mix) != 2 || len(mix["type"]) != 1 {
		t.Errorf("the mix is %v", mix)
	}
	first, err := m.ArtifactsAfter(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	some, err := Mix(m, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]int{"a": 1, "b": 2, "c": 0}[first[0]]; len(some["culture"]) != want {
		t.Errorf("of %s alone: %v", first[0], some)
	}
}
