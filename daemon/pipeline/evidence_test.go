package pipeline

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"kilim/graphstore"
	"kilim/learner/train/gate"
	"kilim/rerank"
)

// TestRestMakesTheLists: what the gate is shown makes, with the cosines of the stored embeddings, the lists total that are stored; without
// links, or without the origin of who asks, it is that much less.
func TestRestMakesTheLists(t *testing.T) {
	t.Parallel()
	s, err := openSite(t, t.TempDir(), exact(), graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	changes, _ := history(11, 60, 25)
	s.must(s.apply(changes))
	s.must(s.settle())
	var ids []string
	var asked []int32
	stored := s.lists()
	for id := range stored {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for i := range ids {
		asked = append(asked, int32(i))
	}
	ids = append(ids, "gone since")
	lists := s.engine.Archive().Lists()
	rest := func(hidden gate.Hidden) map[[2]string]float32 {
		out := map[[2]string]float32{}
		s.must(lists.Rest(t.Context(), ids, asked, hidden, func(other int32, rest []float32) {
			for i, x := range rest {
				out[[2]string{ids[asked[i]], ids[other]}] = x
			}
		}))
		return out
	}
	all, unlinked, bare := rest(gate.Hidden{}), rest(gate.Hidden{Links: true}), rest(gate.Hidden{Origins: true})
	if len(all) != len(stored)*len(stored) {
		t.Fatalf("%d pairs of %d artifacts", len(all), len(stored))
	}
	weights := rerank.DefaultScoreWeights()
	links, origins := 0, 0
	for id, of := range stored {
		for _, entry := range of.Get(rerank.ListTotal) {
			pair := [2]string{id, entry.ID}
			if got := all[pair] + lists.Cosine()*entry.Parts.Cosine; math.Abs(float64(got-entry.Score)) > 1e-6 {
				t.Errorf("%v: %v, the stored score is %v", pair, got, entry.Score)
			}
			if got, want := all[pair]-unlinked[pair], weights.Link*entry.Parts.Link; math.Abs(float64(got-want)) > 1e-6 {
				t.Errorf("%v: links count %v, want %v", pair, got, want)
			}
			if entry.Parts.Link > 0 {
				links++
			}
			if bare[pair] < all[pair] {
				origins++
			}
		}
	}
	if links == 0 || origins == 0 {
		t.Errorf("%d entries are linked, %d share an origin: the test shows nothing", links, origins)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := lists.Rest(ctx, ids, asked, gate.Hidden{}, func(int32, []float32) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("when nobody waits any more: %v", err)
	}
	s.close()
}
