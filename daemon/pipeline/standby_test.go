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

// openStandby opens a standby beside s.
func (s *site) openStandby(dir string, cfg Config) *site {
	s.t.Helper()
	cfg.Standby = true
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

// copyFrom makes the named artifacts of a standby what they are in from.
func (s *site) copyFrom(from *site, ids []string, batch int) {
	s.t.Helper()
	for part := range slices.Chunk(ids, batch) {
		_, err := s.engine.Standby().CopyFrom(from.store, part)
		s.must(err)
	}
}

func (s *site) complete() {
	s.t.Helper()
	for left := 1; left > 0; {
		l, err := s.engine.Standby().Step(time.Millisecond)
		s.must(err)
		if left = l.Pending; left == 0 && l.Unlisted > 0 {
			s.t.Errorf("nothing is left to do, and %d artifacts have no list", l.Unlisted)
		}
	}
}

// TestStandbyCutsOver makes a standby of another model while the archive changes, cuts over to it in the midst of
// changes, and goes on. The lists in the end are, bit for bit, those of a site that has had this model from
// the start; and what is published is one history: numbers without a gap, each update told apart from the one before it, first
// all of the one epoch, then all of the other.
func TestStandbyCutsOver(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			thin(t, seed)
			t.Parallel()
			exact, another := exact(), another()
			if seed >= 3 { // with what lingers at the cutover, and never is published by the old state
				exact.Linger, another.Linger = time.Hour, 2*time.Millisecond
			}
			changes, live := history(seed, 200, 45)
			rng := rand.New(rand.NewPCG(seed, 6))
			apply := func(s *site, n int) {
				n = min(n, len(changes))
				s.must(s.apply(changes[:n]))
				changes = changes[n:]
			}
			old := newSite(t, exact)
			apply(old, 60)
			if seed == 1 || seed == 2 {
				old.must(old.settle())
			}
			dir := t.TempDir()
			standby := old.openStandby(dir, another)
			var dirty []string
			follow := func() { old.engine.Follow(func(ids []string) { dirty = append(dirty, ids...) }) }
			follow()
			ids := old.ids()
			standby.copyFrom(old, ids[:len(ids)/2], 7)
			apply(old, 20)
			// A standby that was left is found again as it was; what changed meanwhile is not told to anybody.
			standby.close()
			old.engine.Follow(nil)
			apply(old, 10)
			standby = old.openStandby(dir, another)
			follow()
			standby.copyFrom(old, slices.Concat(old.ids(), standby.ids()), 9)
			if !standby.engine.role.is(backfilling) {
				t.Error("the standby forgot that its backfill is not done")
			}
			standby.must(standby.engine.Standby().EndBackfill())
			for round := range 6 {
				apply(old, 10)
				again := dirty
				dirty = nil
				standby.copyFrom(old, again, 4)
				if round%2 == 0 {
					standby.complete()
				}
			}
			if seed == 2 { // the lists of the standby may be as incomplete as those of any site
				apply(old, 20)
			}
			if n := len(standby.entries()); n != 0 {
				t.Errorf("a standby has put %d messages into its outbox", n)
			}
			old.must(old.store.Ack(3, nil))
			last := func() []string { return dirty }
			undecided := errors.New("undecided")
			if err := standby.engine.Standby().CutOver(old.engine, last, func() error { return undecided }); !errors.Is(err, undecided) {
				t.Fatalf("a cutover that was not decided: %v", err)
			}
			old.must(old.apply(changes[:1])) // the old one serves still
			changes = changes[1:]
			before := old.entries()
			if lingers := old.engine.lists.Lingering() > 0; lingers != (seed >= 3) {
				t.Errorf("changes linger at the cutover: %v", lingers)
			}
			standby.must(standby.engine.Standby().CutOver(old.engine, last, func() error { return nil }))
			if err := old.apply(changes); !errors.Is(err, ErrRetired) {
				t.Errorf("a retired state took records: %v", err)
			}
			standby.offset = old.offset
			for len(changes) > 0 {
				apply(standby, 1+rng.IntN(12))
				for range rng.IntN(3) {
					_, err := standby.engine.backgroundUnit()
					standby.must(err)
				}
			}
			standby.must(standby.settle())
			select {
			case <-standby.engine.Republished():
			default:
				t.Error("all is settled and not all is published")
			}
			t.Cleanup(standby.close)
			fresh := newSite(t, another)
			fresh.must(fresh.apply(liveChanges(live)))
			fresh.must(fresh.settle())
			compareLists(t, "cut over", standby.lists(), fresh.lists())
			checkHistory(t, standby.entries(), len(before), standby.lists())
			standby.checkPasts()
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

// checkHistory verifies what a standby's outbox holds in the end, of which the first inherited messages are
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

// TestStandbyRefuses tells what a standby can't do and what only a standby can.
func TestStandbyRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t, exact())
	s.must(s.apply([]change{{"a", map[string]any{"title": "rug"}}}))
	dir := t.TempDir()
	standby := s.openStandby(dir, another())
	if _, err := standby.engine.Standby().Step(time.Millisecond); err == nil {
		t.Error("a standby made a step before EndBackfill")
	}
	if _, err := s.engine.Standby().CopyFrom(standby.store, []string{"a"}); err == nil {
		t.Error("a state that serves was copied into")
	}
	nothing, never := func() []string { return nil }, func() error { t.Error("asked to decide"); return nil }
	if err := s.engine.Standby().CutOver(standby.engine, nothing, never); err == nil {
		t.Error("a state that serves was cut over to")
	}
	if err := standby.engine.Standby().CutOver(s.engine, nothing, never); err == nil {
		t.Error("a standby was cut over to before EndBackfill")
	}
	standby.copyFrom(s, []string{"a", "b"}, 2)
	standby.close()
	if d, err := openSite(t, dir, another(), graphstore.Options{SyncWrites: graphstore.NoSync}); err == nil {
		t.Error("a standby whose backfill never ended serves")
		d.close()
	}
}

// TestStandbyUnderASteadyFeed changes one artifact before each unit of a standby's work, by which the features of all others
// are stale: they get their lists all the same.
func TestStandbyUnderASteadyFeed(t *testing.T) {
	t.Parallel()
	cfg := exact()
	cfg.Epsilon = 0.05 // what is encoded again mostly stays where it is, and gets no list by that
	old := newSite(t, cfg)
	_, live := history(7, 300, 100)
	old.must(old.apply(liveChanges(live)))
	old.must(old.settle())
	cfg = another()
	cfg.Epsilon = 0.05
	standby := old.openStandby(t.TempDir(), cfg)
	standby.copyFrom(old, old.ids(), 64)
	standby.must(standby.engine.Standby().EndBackfill())
	left := Left{Unlisted: len(live)}
	for i := 0; left.Unlisted > 0; i++ {
		if i == len(live) {
			t.Fatalf("after %d changes %d of %d artifacts have no list", i, left.Unlisted, len(live))
		}
		old.must(old.apply([]change{{"restless", map[string]any{"title": fmt.Sprintf("star %d", i)}}}))
		standby.copyFrom(old, []string{"restless"}, 1)
		var err error
		left, err = standby.engine.Standby().Step(time.Nanosecond) // the least there is
		standby.must(err)
	}
	standby.complete()
}
