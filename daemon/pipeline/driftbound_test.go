package pipeline

import (
	"math"
	"testing"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/rerank"
)

// TestDriftBoundIsDeclared: at rest no embedding is farther from the exact one than its answer declares, and an answer's bound of scores is
// that of its own embedding and of its entries'. Nothing is declared where an earlier, smaller epsilon made an embedding.
func TestDriftBoundIsDeclared(t *testing.T) {
	t.Parallel()
	cfg := exact()
	cfg.Epsilon = 0.1
	s, err := openSite(t, t.TempDir(), cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	changes, live := history(8, 80, 30)
	for _, c := range changes {
		s.must(s.apply([]change{c}))
	}
	s.must(s.settle())
	nodes := map[string]*graphstore.Node{}
	off := 0.0
	s.must(s.store.View(func(r *graphstore.Reader) error {
		for id := range live {
			n, err := stored(r, id)
			s.must(err)
			d, err := s.engine.refresher.Audit(r, n.ID)
			s.must(err)
			if d > n.DriftBound+1e-6 {
				t.Errorf("%s: %v from the exact embedding, the bound is %v", id, d, n.DriftBound)
			}
			nodes[id], off = n, max(off, d)
		}
		return nil
	}))
	if off == 0 {
		t.Error("no embedding is off: the test shows nothing")
	}
	weights := map[string]float64{rerank.ListGeneral: 1, rerank.ListTotal: float64(rerank.DefaultScoreWeights().Cosine)}
	for id := range live {
		for list, weight := range weights {
			for _, k := range []int{3, 12} { // stored, and computed for the question
				a, err := s.engine.Queries().Similar(t.Context(), id, list, k)
				s.must(err)
				others := 0.0
				for _, entry := range a.Items {
					others = max(others, nodes[entry.ID].DriftBound)
				}
				if b := a.DriftBound; b == nil || b.Embedding != nodes[id].DriftBound || math.Abs(b.Score-weight*(b.Embedding+others)) > 1e-12 {
					t.Errorf("%s, %s, %d: %+v of %v and %v", id, list, k, b, nodes[id].DriftBound, others)
				}
			}
		}
	}
	query, err := profile.Parse([]byte(`{"title":"star","culture":["culture 1"]}`), "q", profile.DefaultLimits())
	s.must(err)
	found, err := s.engine.Queries().SimilarTo(t.Context(), query, rerank.ListTotal, 3)
	s.must(err)
	if b := found.DriftBound; b == nil || b.Embedding <= 0 || b.Score <= 0 {
		t.Errorf("of what is not stored: %+v", b)
	}
	cfg.Epsilon = 0.2
	s = s.reopen(cfg)
	if a, err := s.engine.Queries().Similar(t.Context(), liveChanges(live)[0].id, rerank.ListTotal, 3); err != nil || a.DriftBound != nil {
		t.Errorf("an embedding of epsilon 0.1 is declared to be off by %+v with epsilon 0.2 (%v)", a.DriftBound, err)
	}
	s.must(s.settle())
	s.close()
}
