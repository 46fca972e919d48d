package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"kilim/daemon/pipeline/atlas"
)

// TestAtlas: the map follows arrivals, replacements and deletions in its counts, is the one made anew after each, and names
// groups, pairs and artifacts.
func TestAtlas(t *testing.T) {
	t.Parallel()
	s := newSite(t, exact())
	rug := func(i int, culture string) change {
		return change{fmt.Sprintf("a/%d", i), map[string]any{"title": fmt.Sprintf("%s rug %d", culture, i), "culture": culture, "place": []string{"Here", "There"}}}
	}
	var batch []change
	for i := range 12 {
		batch = append(batch, rug(i, []string{"Kuba", "Shirvan", "Tekke"}[i%3]))
	}
	batch = append(batch, rug(12, "Yomut"))
	counts := func() map[string]int {
		t.Helper()
		s.compareIndex()
		a, err := s.engine.Atlas(atlas.Question{Kind: "culture", Most: 20}, nil)
		s.must(err)
		out := map[string]int{}
		for _, g := range a.Groups {
			out[g.Label] = g.Artifacts
		}
		if a.Kind != "culture" || a.All != len(a.Groups) || a.Epoch != 1 {
			t.Errorf("answer %+v", a)
		}
		return out
	}
	s.must(s.apply(batch))
	if got := fmt.Sprint(counts()); got != "map[Kuba:4 Shirvan:4 Tekke:4 Yomut:1]" {
		t.Errorf("after the arrivals: %s", got)
	}
	s.must(s.apply([]change{rug(0, "Tekke"), rug(3, "Tekke"), {id: "a/12"}, {"a/1", map[string]any{"title": "of no culture"}}}))
	if got := fmt.Sprint(counts()); got != "map[Kuba:2 Shirvan:3 Tekke:6]" {
		t.Errorf("after replacements and a deletion: %s", got)
	}
	a, err := s.engine.Atlas(atlas.Question{Kind: "culture", Most: 2}, nil)
	s.must(err)
	if len(a.Groups) != 2 || a.All != 3 || len(a.Cells) != 3 || a.Groups[0].Label != "Tekke" {
		t.Fatalf("the two largest: %+v", a)
	}
	if leaves := slices.Sorted(slices.Values(a.Tree.Leaves)); !slices.Equal(leaves, slices.Sorted(slices.Values([]string{a.Groups[0].Key, a.Groups[1].Key}))) ||
		len(a.Tree.Merges) != 1 || a.Tree.Merges[0].Height != 1-contrastOf(a) {
		t.Errorf("tree %+v", a.Tree)
	}
	for _, c := range a.Cells {
		if len(c.Nearest) == 0 || c.Nearest[0].A[:2] != "a/" || c.Nearest[0].B[:2] != "a/" || c.Nearest[0].A == c.Nearest[0].B {
			t.Errorf("cell %+v", c)
		}
	}
	if a, err = s.engine.Atlas(atlas.Question{Kind: "place", Most: 20}, nil); err != nil || len(a.Groups) != 2 || a.Groups[0].Artifacts != 11 {
		t.Errorf("places: %+v, %v", a, err)
	}
	if _, err := s.engine.Atlas(atlas.Question{Kind: "creator", Most: 20}, nil); !errors.Is(err, atlas.ErrUnknownKind) {
		t.Errorf("an unknown kind: %v", err)
	}
}

// contrastOf is that of the two groups of an answer.
func contrastOf(a *atlas.Answer) float64 {
	for _, c := range a.Cells {
		if c.A != c.B {
			return c.Contrast
		}
	}
	return 0
}
