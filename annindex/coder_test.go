package annindex

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/coder/hnsw"
)

// TestCoderSurvivesPanics makes the library panic in each of its calls and expects exact answers, by scan.
func TestCoderSurvivesPanics(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 1))
	const dim, n = 6, 60
	c, oracle := newCoder(dim), newFlat(dim)
	put := func(id uint64) {
		v := unit(rng, dim)
		if err := c.Put(id, v); err != nil {
			t.Fatal(err)
		}
		if err := oracle.Put(id, v); err != nil {
			t.Fatal(err)
		}
	}
	for id := range uint64(n) {
		put(id)
	}
	panics := func(_, _ hnsw.Vector) float32 { panic("the library's") }

	c.graph.Distance = panics
	for range 5 {
		q := unit(rng, dim)
		got, err := c.Search(q, 10, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := oracle.Search(q, 10, nil)
		if !slices.Equal(got, want) {
			t.Fatalf("a search that panicked: got %v, want %v", got, want)
		}
	}

	broken := c.graph
	put(n)
	if c.graph == nil || c.graph == broken || c.graph.Len() != n+1 {
		t.Fatal("an insertion that panicked: the graph was not built anew")
	}

	c.graph = nil // as after a rebuild that panicked
	q := unit(rng, dim)
	got, err := c.Search(q, 10, nil)
	if want, _ := oracle.Search(q, 10, nil); err != nil || !slices.Equal(got, want) {
		t.Fatalf("without a graph: got %v, %v, want %v", got, err, want)
	}
	if err := c.Delete(0); err != nil {
		t.Fatal(err)
	}
	if c.graph == nil || c.graph.Len() != n {
		t.Fatal("the next change did not build the graph anew")
	}
}

// TestCoderRebuilds moves ten vectors again and again, and expects rebuild to keep the dead keys few.
func TestCoderRebuilds(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 1))
	c := newCoder(4)
	for i := range 500 {
		if err := c.Put(uint64(i%10), unit(rng, 4)); err != nil {
			t.Fatal(err)
		}
		if c.graph.Len() > 2*c.Len()+16 || len(c.owner) != c.Len() {
			t.Fatalf("%d keys in the graph, %d owners, for %d vectors", c.graph.Len(), len(c.owner), c.Len())
		}
	}
}
