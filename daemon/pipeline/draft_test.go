package pipeline

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kilim/graphstore"
	"kilim/rerank"
)

// another is exact with another model.
func another() Config {
	cfg := exact()
	cfg.Model.Seed, cfg.Epoch = 2, 2
	return cfg
}

// openDraft opens a draft beside s.
func (s *site) openDraft(dir string, cfg Config) *site {
	s.t.Helper()
	cfg.Draft = true
	d, err := openSite(s.t, dir, cfg, graphstore.Options{SyncWrites: graphstore.NoSync, UUID: s.store.UUID()})
	s.must(err)
	return d
}

// ids are those of all artifacts in a store.
func (s *site) ids() (ids []string) {
	s.t.Helper()
	s.must(s.store.View(func(r *graphstore.Reader) (err error) {
		ids, err = r.ArtifactsAfter(0, 1<<20)
		return err
	}))
	return ids
}

// mirror brings a draft to what s is, for the named artifacts.
func (s *site) mirror(from *site, ids []string, batch int) {
	s.t.Helper()
	for part := range slices.Chunk(ids, batch) {
		_, err := s.engine.Mirror(from.store, part)
		s.must(err)
	}
}

func (s *site) complete() {
	s.t.Helper()
	for left := 1; left > 0; {
		l, err := s.engine.Step(time.Millisecond)
		s.must(err)
		if left = l.Pending; left == 0 && l.Unlisted > 0 {
			s.t.Errorf("nothing is left to do, and %d artifacts have no list", l.Unlisted)
		}
	}
}

// TestDraftTakesOver makes a draft of another model while the archive changes, lets it take over in the midst of
// changes, and goes on. The lists in the end are, bit for bit, those of a site that has had this model from
// the start; and what is published is one history: numbers without a gap, each update told apart from the one before it, first
// all of the one epoch, then all of the other.
func TestDraftTakesOver(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			changes, live := history(seed, 200, 45)
			rng := rand.New(rand.NewPCG(seed, 6))
			apply := func(s *site, n int) {
				n = min(n, len(changes))
				s.must(s.apply(changes[:n]))
				changes = changes[n:]
			}
			old := newSite(t, exact())
			apply(old, 60)
			if seed > 0 {
				old.must(old.settle())
			}
			dir := t.TempDir()
			draft := old.openDraft(dir, another())
			var dirty []string
			follow := func() { old.engine.Follow(func(ids []string) { dirty = append(dirty, ids...) }) }
			follow()
			ids := old.ids()
			draft.mirror(old, ids[:len(ids)/2], 7)
			apply(old, 20)
			// A draft that was left is found again as it was; what changed meanwhile is not told to anybody.
			draft.close()
			old.engine.Follow(nil)
			apply(old, 10)
			draft = old.openDraft(dir, another())
			follow()
			draft.mirror(old, slices.Concat(old.ids(), draft.ids()), 9)
			if !draft.engine.IsFilling() {
				t.Error("the draft forgot that it fills")
			}
			draft.must(draft.engine.Filled())
			for round := range 6 {
				apply(old, 10)
				again := dirty
				dirty = nil
				draft.mirror(old, again, 4)
				if round%2 == 0 {
					draft.complete()
				}
			}
			if seed == 2 { // the lists of the draft may be as incomplete as those of any site
				apply(old, 20)
			}
			if n := len(draft.entries()); n != 0 {
				t.Errorf("a draft has put %d messages into its outbox", n)
			}
			old.must(old.store.Ack(3, nil))
			last := func() []string { return dirty }
			undecided := errors.New("undecided")
			if err := draft.engine.TakeOver(old.engine, last, func() error { return undecided }); !errors.Is(err, undecided) {
				t.Fatalf("a takeover that was not decided: %v", err)
			}
			old.must(old.apply(changes[:1])) // the old one serves still
			changes = changes[1:]
			before := old.entries()
			draft.must(draft.engine.TakeOver(old.engine, last, func() error { return nil }))
			if err := old.apply(changes); !errors.Is(err, ErrRetired) {
				t.Errorf("a retired state took records: %v", err)
			}
			draft.offset = old.offset
			for len(changes) > 0 {
				apply(draft, 1+rng.IntN(12))
				for range rng.IntN(3) {
					_, err := draft.engine.backgroundUnit()
					draft.must(err)
				}
			}
			draft.must(draft.settle())
			select {
			case <-draft.engine.Republished():
			default:
				t.Error("all is settled and not all is published")
			}
			t.Cleanup(draft.close)
			fresh := newSite(t, another())
			fresh.must(fresh.apply(liveChanges(live)))
			fresh.must(fresh.settle())
			compareLists(t, "taken over", draft.lists(), fresh.lists())
			checkHistory(t, draft.entries(), len(before), draft.lists())
		})
	}
}

func (s *site) entries() (all []graphstore.OutboxEntry) {
	s.t.Helper()
	s.must(s.store.View(func(r *graphstore.Reader) (err error) {
		all, err = r.Outbox(0, 1<<20)
		return err
	}))
	return all
}

// checkHistory verifies what a draft's outbox holds in the end, of which the first inherited messages are
// those of the state before it.
func checkHistory(t *testing.T, entries []graphstore.OutboxEntry, inherited int, want map[string]rerank.Lists) {
	t.Helper()
	type known struct {
		lists rerank.Lists
		whole bool // and not only what is in the outbox still
	}
	last := map[string]known{}
	revisions := map[string]bool{}
	for i, entry := range entries {
		if i > 0 && entry.Seq != entries[i-1].Seq+1 {
			t.Errorf("message %d follows %d", entry.Seq, entries[i-1].Seq)
		}
		m, err := rerank.Decode(entry.Value)
		if err != nil {
			t.Fatal(err)
		}
		key := fmt.Sprintf("%s/%d", m.ID, m.Revision)
		if revisions[key] {
			t.Errorf("%s is published twice", key)
		}
		revisions[key] = true
		epoch := uint32(1)
		if i >= inherited {
			epoch = 2
		}
		if m.Update == nil {
			last[m.ID] = known{whole: true}
			continue
		}
		if m.Update.Epoch != epoch {
			t.Errorf("message %d is of epoch %d, want %d", entry.Seq, m.Update.Epoch, epoch)
		}
		if was := last[m.ID]; was.whole {
			if len(m.Update.Lists) != 2 || len(m.Update.Changes) != 2 {
				t.Errorf("%s: %d lists and the changes of %d, want 2", key, len(m.Update.Lists), len(m.Update.Changes))
			}
			for name, diff := range rerank.DiffAll(was.lists, m.Update.Lists) {
				got := m.Update.Changes[name]
				if !slices.Equal(diff.Entered, got.Entered) || !slices.Equal(diff.Left, got.Left) || !slices.Equal(diff.Moved, got.Moved) {
					t.Errorf("%s: changes of %s are %+v, against the update before %+v", key, name, got, diff)
				}
			}
		}
		last[m.ID] = known{m.Update.Lists, true}
	}
	for id, lists := range want {
		if !sameLists(last[id].lists, lists) {
			t.Errorf("the last published list of %q is not the stored one", id)
		}
	}
}

// TestDraftRefuses tells what a draft can't do and what only a draft can.
func TestDraftRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t, exact())
	s.must(s.apply([]change{{"a", map[string]any{"title": "rug"}}}))
	dir := t.TempDir()
	draft := s.openDraft(dir, another())
	if _, err := draft.engine.Step(time.Millisecond); err == nil {
		t.Error("a draft that fills made a step")
	}
	if _, err := s.engine.Mirror(draft.store, []string{"a"}); err == nil {
		t.Error("a state that serves was made a mirror")
	}
	nothing, never := func() []string { return nil }, func() error { t.Error("asked to decide"); return nil }
	if err := s.engine.TakeOver(draft.engine, nothing, never); err == nil {
		t.Error("a state that serves took over")
	}
	if err := draft.engine.TakeOver(s.engine, nothing, never); err == nil {
		t.Error("a draft that fills took over")
	}
	draft.mirror(s, []string{"a", "b"}, 2)
	draft.close()
	if d, err := openSite(t, dir, another(), graphstore.Options{SyncWrites: graphstore.NoSync}); err == nil {
		t.Error("a draft that was never filled serves")
		d.close()
	}
}

// TestDraftUnderASteadyFeed changes one artifact before each unit of a draft's work, by which the features of all others
// are stale: they get their lists all the same.
func TestDraftUnderASteadyFeed(t *testing.T) {
	t.Parallel()
	cfg := exact()
	cfg.Epsilon = 0.05 // what is encoded again mostly stays where it is, and gets no list by that
	old := newSite(t, cfg)
	_, live := history(7, 300, 100)
	old.must(old.apply(liveChanges(live)))
	old.must(old.settle())
	cfg = another()
	cfg.Epsilon = 0.05
	draft := old.openDraft(t.TempDir(), cfg)
	draft.mirror(old, old.ids(), 64)
	draft.must(draft.engine.Filled())
	left := Left{Unlisted: len(live)}
	for i := 0; left.Unlisted > 0; i++ {
		if i == len(live) {
			t.Fatalf("after %d changes %d of %d artifacts have no list", i, left.Unlisted, len(live))
		}
		old.must(old.apply([]change{{"restless", map[string]any{"title": fmt.Sprintf("star %d", i)}}}))
		draft.mirror(old, []string{"restless"}, 1)
		var err error
		left, err = draft.engine.Step(time.Nanosecond) // the least there is
		draft.must(err)
	}
	draft.complete()
}
