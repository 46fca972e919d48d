package pipeline

import (
	"testing"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/rerank"
)

// TestStalenessIsDeclared: while pushes or lists wait, an answer says for how long, also after a restart; stored lists say how
// many records have come since they were made; at rest nothing waits.
func TestStalenessIsDeclared(t *testing.T) {
	t.Parallel()
	cfg := exact()
	cfg.Sweep, cfg.Budget = 100, 0 // nothing is renewed for its age, and a batch does nothing for others
	s, err := openSite(t, t.TempDir(), cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	changes, live := history(5, 60, 30)
	s.must(s.apply(changes))
	s.must(s.settle())
	asked := liveChanges(live)[0].id
	ask := func() *Answer {
		a, err := s.engine.Queries().Similar(t.Context(), asked, rerank.ListTotal, 3)
		s.must(err)
		return a
	}
	rest := ask().Staleness
	if rest.Seconds != 0 || rest.Changes == nil || s.engine.Status().Overdue != 0 {
		t.Fatalf("at rest: %+v, %v seconds", rest, s.engine.Status().Overdue)
	}
	more := []change{{"b1", map[string]any{"title": "unlike", "culture": []string{"culture 1"}}}, {"b2", map[string]any{"title": "others", "culture": []string{"culture 1"}}}}
	s.must(s.apply(more))
	waits := ask().Staleness
	if waits.Seconds <= 0 || waits.Changes == nil || *waits.Changes < *rest.Changes+int64(len(more)) {
		t.Errorf("with %d things left: %+v, after %+v", s.engine.pending(), waits, rest)
	}
	s = s.reopen(cfg)
	if again := ask().Staleness; again.Seconds < waits.Seconds {
		t.Errorf("a restart has made what waits younger: %v seconds, before it %v", again.Seconds, waits.Seconds)
	}
	a, err := profile.Parse([]byte(`{"title":"star"}`), "q", profile.DefaultLimits())
	s.must(err)
	found, err := s.engine.Queries().SimilarTo(t.Context(), a, rerank.ListTotal, 3)
	s.must(err)
	if found.Staleness.Seconds < waits.Seconds || *found.Staleness.Changes != 0 {
		t.Errorf("a list that is made for the question: %+v", found.Staleness)
	}
	s.must(s.settle())
	if s := ask().Staleness; s.Seconds != 0 {
		t.Errorf("at rest again: %+v", s)
	}
	cfg.ListSize++ // all lists are to be made anew
	s = s.reopen(cfg)
	if s := ask().Staleness; s.Seconds <= 0 || s.Changes != nil {
		t.Errorf("a list that waits to be computed in full: %+v", s)
	}
	s.must(s.settle())
	s.close()
}
