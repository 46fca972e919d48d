package swap

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/annindex"
)

func flat(t *testing.T, dim int) annindex.Index {
	t.Helper()
	ix, err := annindex.New(annindex.Config{Engine: "flat", Dim: dim})
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

// asked is a context whose Err calls a function. Rebuild calls Err before each vector.
type asked struct {
	context.Context
	err func() error
}

func (a asked) Err() error { return a.err() }

// TestRebuild changes the index at random during rebuilds, before each vector that copyVector copies, and compares it
// with a map during and after each rebuild.
func TestRebuild(t *testing.T) {
	t.Parallel()
	const dim, ids = 3, 60
	rng := rand.New(rand.NewPCG(1, 1))
	x := New(flat(t, dim))
	want := map[uint64][]float32{}
	change := func() {
		id := rng.Uint64N(ids)
		if rng.IntN(3) == 0 {
			_, there := want[id]
			if err := x.Delete(id); there != (err == nil) {
				t.Fatalf("delete %d (there: %v): %v", id, there, err)
			}
			delete(want, id)
			return
		}
		v := []float32{1 + rng.Float32(), rng.Float32(), rng.Float32()}
		if err := x.Put(id, v); err != nil {
			t.Fatal(err)
		}
		want[id] = v
	}
	same := func(when string) {
		t.Helper()
		if x.Len() != len(want) {
			t.Fatalf("%s: %d vectors, want %d", when, x.Len(), len(want))
		}
		out := make([]float32, dim)
		for id, v := range want {
			if !x.Vector(id, out) || !slices.Equal(out, v) {
				t.Fatalf("%s: vector %d is %v, want %v", when, id, out, v)
			}
		}
	}
	for range 200 {
		before, next := x.current(), flat(t, dim)
		err := x.Rebuild(asked{t.Context(), func() error {
			for range rng.IntN(3) {
				change()
			}
			same("during")
			if x.current() != before {
				t.Fatal("swapped before its time")
			}
			return nil
		}}, next)
		if err != nil || x.current() != next {
			t.Fatalf("rebuild: %v, swapped: %v", err, x.current() == next)
		}
		same("after")
		change()
		same("later")
	}
}

func TestRebuildThatFails(t *testing.T) {
	t.Parallel()
	x := New(flat(t, 2))
	for id := range uint64(9) {
		if err := x.Put(id, []float32{1, float32(id)}); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if err := x.Snapshot(&file); err != nil {
		t.Fatal(err)
	}
	before := x.current()
	ended, end := context.WithCancel(context.Background())
	end()
	restoring := asked{t.Context(), func() error {
		if file.Len() > 0 { // the first time
			return x.Restore(&file)
		}
		return nil
	}}
	nested := asked{t.Context(), func() error {
		if err := x.Rebuild(t.Context(), flat(t, 2)); !errors.Is(err, ErrRebuilding) {
			t.Errorf("a rebuild in a rebuild: %v", err)
		}
		return errors.New("enough")
	}}
	for what, run := range map[string]func() error{
		"an ended context":  func() error { return x.Rebuild(ended, flat(t, 2)) },
		"another dimension": func() error { return x.Rebuild(t.Context(), flat(t, 3)) },
		"one that is full":  func() error { return x.Rebuild(t.Context(), x.current()) },
		"in a rebuild":      func() error { return x.Rebuild(nested, flat(t, 2)) },
		"a restore":         func() error { return x.Rebuild(restoring, flat(t, 2)) },
	} {
		if err := run(); err == nil || x.current() != before || x.Len() != 9 || x.next != nil {
			t.Errorf("%s: %v, %d vectors", what, err, x.Len())
		}
	}
	if err := x.Rebuild(t.Context(), flat(t, 2)); err != nil || x.current() == before {
		t.Errorf("a rebuild after those: %v", err)
	}
	hits, err := x.Search([]float32{0, 1}, 1, nil)
	many, errMany := x.SearchMany([][]float32{{0, 1}}, 1)
	if err != nil || errMany != nil || hits[0].ID != 8 || many[0][0].ID != 8 {
		t.Errorf("search: %v, %v, %v, %v", hits, many, err, errMany)
	}
}
