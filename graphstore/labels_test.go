package graphstore

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
)

// labelled puts artifacts that write one culture in their own ways; an empty list deletes the artifact.
func labelled(tx *Tx, id string, labels []string) error {
	if len(labels) == 0 {
		_, err := tx.DeleteArtifact(id)
		return err
	}
	var specs []EdgeSpec
	for _, l := range labels {
		specs = append(specs, EdgeSpec{Type: Culture, Rel: Relation(Culture), Key: "http://example.org/c", Label: l})
	}
	_, err := tx.PutArtifact(Doc{ID: id}, specs)
	return err
}

// TestLabelsDontDependOnOrder makes the same edges by different histories: in other orders, other batches, with other
// things before. All rows are the same.
func TestLabelsDontDependOnOrder(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 60)
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 12))
		pick := func() []string {
			var out []string
			for range 1 + rng.IntN(3) {
				i := min(rng.IntN(14), rng.IntN(14))
				out = append(out, []string{"", long}[i%2]+fmt.Sprint(i))
			}
			return out
		}
		final := map[string][]string{}
		for i := range 40 {
			final[fmt.Sprint(i)] = pick()
		}
		var want map[string]string
		for history := range 5 {
			s := openSmall(t)
			s.keptLabels = 3
			var steps []func(*Tx) error
			if history > 0 {
				for id := range 55 { // what went before, and partly goes again
					labels := pick()
					steps = append(steps, func(tx *Tx) error { return labelled(tx, fmt.Sprint(id), labels) })
				}
				for id := 40; id < 55; id++ {
					steps = append(steps, func(tx *Tx) error { return labelled(tx, fmt.Sprint(id), nil) })
				}
			}
			ids := make([]string, 0, len(final))
			for id := range final {
				ids = append(ids, id)
			}
			for _, i := range rng.Perm(len(ids)) {
				steps = append(steps, func(tx *Tx) error { return labelled(tx, ids[i], final[ids[i]]) })
			}
			for len(steps) > 0 {
				n := min(1+rng.IntN(9), len(steps))
				commitAll(t, s, func(tx *Tx) error {
					for _, step := range steps[:n] {
						if err := step(tx); err != nil {
							return err
						}
					}
					return nil
				})
				steps = steps[n:]
			}
			got := rowsOf(t, s)
			delete(got, string([]byte{keyState})) // which counts the commits
			if want == nil {
				want = got
			}
			if !maps.Equal(got, want) {
				t.Errorf("seed %d, history %d: the rows are not those of history 0", seed, history)
			}
			checked(t, s)
		}
	}
}

// TestManyLabels writes one culture in thousands of ways: the row of its node stays small. It had all of them, and each commit
// wrote it.
func TestManyLabels(t *testing.T) {
	t.Parallel()
	s := openSmall(t)
	const artifacts, batch = 3000, 250
	for from := 0; from < artifacts; from += batch {
		commitAll(t, s, func(tx *Tx) error {
			for i := from; i < from+batch; i++ {
				labels := []string{fmt.Sprintf("way number %d of writing it", i)}
				if i%100 == 7 {
					labels = append(labels, "the usual way")
				}
				if err := labelled(tx, fmt.Sprint(i), labels); err != nil {
					return err
				}
			}
			return nil
		})
	}
	culture := func() (n *Node) {
		t.Helper()
		if err := s.View(func(r *Reader) (err error) {
			n, err = r.Node(ID(Culture, "http://example.org/c"))
			return err
		}); err != nil || n == nil {
			t.Fatalf("the culture: %v (%v)", n, err)
		}
		return n
	}
	n := culture()
	if size := len(encodeNode(n)); size > 64*64 {
		t.Errorf("the row has %d bytes", size)
	}
	if len(n.Labels) != 64 || n.OtherLabels != artifacts+1-64 || n.Members != artifacts || n.DisplayLabel() != "the usual way" {
		t.Errorf("%d labels and %d others of %d members, shown as %q", len(n.Labels), n.OtherLabels, n.Members, n.DisplayLabel())
	}
	// All of them go, the kept ones first, so that others take their places.
	for from := 0; from < artifacts; from += batch {
		commitAll(t, s, func(tx *Tx) error {
			for i := from; i < from+batch; i++ {
				if err := labelled(tx, fmt.Sprint(i), nil); err != nil {
					return err
				}
			}
			return nil
		})
		if from == 1000 {
			if n := culture(); len(n.Labels) != 64 || n.DisplayLabel() != "the usual way" {
				t.Errorf("after some went: %d labels, shown as %q", len(n.Labels), n.DisplayLabel())
			}
		}
	}
	for k := range rowsOf(t, s) {
		if k[0] == keyLabel || k[0] == keyNode {
			t.Fatalf("a row is left: %q", k)
		}
	}
	checked(t, s)
}
