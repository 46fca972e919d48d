package pipeline

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/annindex/hnsw"
	"kilim/annindex/recall"
	"kilim/graphstore"
)

// TestIndexIsRebuilt runs the chain with an index that finds little, beside queries and records, until it was built anew.
func TestIndexIsRebuilt(t *testing.T) {
	t.Parallel()
	cfg := exact()
	cfg.Engine = "hnsw"
	cfg.Candidates = 10 // a search for many more finds all that can be reached
	cfg.Graph = hnsw.Config{M: 2, EfConstruction: 1, Ef: 1, ScanBelow: -1}
	cfg.Recall = recall.Config{Share: 1, Window: 10, Bound: 1}
	s, err := openSite(t, t.TempDir(), cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
	s.must(err)
	changes, _ := history(5, 400, 200)
	s.must(s.apply(changes[:300]))
	s.must(s.settle())
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.engine.index.Run(ctx)
	}()
	for asked, next := 0, 300; s.engine.index.Stats().Rebuilds == 0; asked++ {
		// Many artifacts are asked about: for one of them the index may find all there is.
		a := changes[asked%len(changes)].item(0).Artifact
		if a == nil {
			continue
		}
		_, err := s.engine.Queries().SimilarTo(t.Context(), a, "general", 5)
		s.must(err)
		if next < len(changes) {
			s.must(s.apply(changes[next : next+1]))
			next++
		}
	}
	stop()
	<-done
	s.must(s.settle())
	s.compareIndex()
	stats := s.engine.index.Stats()
	if stats.Checks < 10 || !(stats.Recall > 0 && stats.Recall <= 1) || stats.FailedRebuilds != 0 {
		t.Errorf("stats %+v", stats)
	}
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(s.engine.Collector())
	families, err := reg.Gather()
	s.must(err)
	swapped := 0.0
	for _, f := range families {
		if f.GetName() == "kilim_index_rebuilds_total" {
			for _, m := range f.GetMetric() {
				if m.GetLabel()[0].GetValue() == "swapped" {
					swapped = m.GetCounter().GetValue()
				}
			}
		}
	}
	if swapped != float64(stats.Rebuilds) {
		t.Errorf("kilim_index_rebuilds_total is %v, want %d", swapped, stats.Rebuilds)
	}
	s.close()
}
