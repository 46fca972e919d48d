package pipeline

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"kilim/daemon/pipeline/made"
	"kilim/graphstore"
	"kilim/rerank"
)

// reopen closes a site and opens its folder with other settings.
func (s *site) reopen(cfg Config) *site {
	s.t.Helper()
	s.must(s.store.Close())
	again, err := openSite(s.t, s.dir, cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
	s.must(err)
	again.offset = s.offset
	return again
}

// sound wants a folder to be sound for who does not know its settings: those of now, or any others.
func (s *site) sound(waits bool) *site {
	s.t.Helper()
	foreign := exact()
	foreign.Settings, foreign.AsMade = made.Settings{ListSize: 2, Candidates: 3, RareMembers: 1, Tolerance: 0.5, Epsilon: 1e-6}, true
	reader := s.reopen(foreign)
	s.must(reader.engine.Check(func(fault string) { s.t.Error("checked by other settings: ", fault) }))
	if left := reader.engine.Status().RefreshQueue; (left > 0) != waits {
		s.t.Errorf("%d things wait, want some: %v", left, waits)
	}
	return reader.reopen(s.cfg)
}

// TestSettingsOfTheState changes all settings that stored rows depend on in the midst of random histories, back to earlier ones
// too. In the end lists, embeddings and all else are those of a state that had the last settings from the start.
func TestSettingsOfTheState(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		if testing.Short() && seed > 0 {
			break // a history runs on one goroutine
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 41))
			scores := []rerank.ScoreWeights{{}, {Cosine: 0.8, Words: 0.2, DateScale: 50}, {Cosine: 0.1, Entities: 0.5, Words: 0.2, Date: 0.1, Link: 0.1, DateScale: 50}}
			cfg := exact()
			changes, live := history(seed, 80, 25)
			s, err := openSite(t, t.TempDir(), cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
			if err != nil {
				t.Fatal(err)
			}
			for len(changes) > 0 {
				n := min(1+rng.IntN(12), len(changes))
				s.must(s.apply(changes[:n]))
				changes = changes[n:]
				if rng.IntN(3) == 0 {
					s.must(s.settle())
					s = s.sound(false)
				}
				if rng.IntN(2) == 0 {
					next := s.cfg
					next.Settings = made.Settings{ListSize: 3 + 3*rng.IntN(3), Candidates: 15 + 5*rng.IntN(2), RareMembers: 6 + rng.IntN(3),
						Tolerance: []float32{0, 0.05}[rng.IntN(2)], Epsilon: []float32{0, 0.02, 0.2}[rng.IntN(3)], Score: scores[rng.IntN(len(scores))]}
					s = s.reopen(next)
					// What has changed waits, now and for who opens the folder after a stop.
					_, err := s.engine.backgroundUnit()
					s.must(err)
					s = s.sound(s.engine.pending() > 0)
				}
			}
			if seed%2 == 0 {
				s.must(s.settle()) // nothing but the settings makes lists due then
			}
			cfg.Settings = made.Settings{ListSize: 9, Candidates: 20, RareMembers: 8, Score: scores[int(seed)%len(scores)]}
			s = s.reopen(cfg)
			s.must(s.settle())
			s = s.sound(false)
			fresh := newSite(t, cfg)
			s.must(fresh.apply(liveChanges(live)))
			s.must(fresh.settle())
			compareLists(t, "in the end", s.lists(), fresh.lists())
			s.close()
		})
	}
}

// TestSettingsSurviveStops stops a state again and again while it makes its vectors anew after epsilon was lowered: the next
// start goes on, and says so, until all are.
func TestSettingsSurviveStops(t *testing.T) {
	t.Parallel()
	cfg := exact()
	cfg.Epsilon = 0.3
	changes, live := history(3, 80, 25)
	s := newSite(t, cfg)
	for len(changes) > 0 {
		n := min(5, len(changes))
		s.must(s.apply(changes[:n]))
		s.must(s.settle())
		changes = changes[n:]
	}
	s.must(s.store.Close())
	cfg.Epsilon = 0
	for stop := 1; ; stop++ {
		again, err := openSite(t, s.dir, cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
		s.must(err)
		more := true
		for i := 0; i < stop && more; i++ {
			more, err = again.engine.backgroundUnit()
			s.must(err)
		}
		if again.engine.made.Loose() && !more {
			t.Fatal("nothing is left to do, and the vectors are not said to keep to epsilon")
		}
		if !more {
			s.store, s.engine, s.cfg = again.store, again.engine, cfg
			break
		}
		s.must(again.engine.Check(func(fault string) { t.Errorf("after %d units: %s", stop, fault) }))
		s.must(again.store.Close())
	}
	fresh := newSite(t, cfg)
	s.must(fresh.apply(liveChanges(live)))
	s.must(fresh.settle())
	compareLists(t, "in the end", s.lists(), fresh.lists())
}

// TestRaisedSizeIsAnswered asks for more than the lists hold that wait to be computed, and for less than those that are to be cut.
func TestRaisedSizeIsAnswered(t *testing.T) {
	t.Parallel()
	cfg := exact()
	changes, _ := history(5, 60, 30)
	s := newSite(t, cfg)
	s.must(s.apply(changes))
	s.must(s.settle())
	ask := func(k int) int {
		answer, err := s.engine.Queries().Similar(t.Context(), changes[len(changes)-1].id, "total", k)
		s.must(err)
		return len(answer.Items)
	}
	cfg.ListSize = 12
	again := s.reopen(cfg)
	s.store, s.engine = again.store, again.engine
	if n := ask(12); n != 12 {
		t.Errorf("%d of 12 while the lists of 5 wait", n)
	}
	s.must(s.settle())
	cfg.ListSize = 3
	again = s.reopen(cfg)
	s.store, s.engine = again.store, again.engine
	for _, k := range []int{3, 7} {
		if n := ask(k); n != k {
			t.Errorf("%d of %d while the lists of 12 wait", n, k)
		}
	}
}
