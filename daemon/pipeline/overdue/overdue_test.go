package overdue

import (
	"testing"
	"time"

	"kilim/graphstore"
	"kilim/internal/waiting"
)

// TestAgeSurvivesARestart: what an earlier process left is as old as its oldest was, what comes after that is not; and when nothing
// waits any more the state says so.
func TestAgeSurvivesARestart(t *testing.T) {
	t.Parallel()
	store, err := graphstore.Open(t.TempDir(), graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	open := func(left ...uint64) (*Age, *waiting.Since) {
		a, q := new(Age), new(waiting.Since)
		if err := store.View(a.Load); err != nil {
			t.Fatal(err)
		}
		a.Watch(new(waiting.Since), q)
		for _, id := range left {
			q.Begin(id)
		}
		a.Loaded()
		return a, q
	}
	commit := func(a *Age) {
		tx := store.Begin()
		defer tx.Discard()
		if err := a.Put(tx); err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	const long = time.Hour
	a, q := open()
	if a.Seconds() != 0 || *a.Staleness().Changes != 0 {
		t.Errorf("a new state owes something since %v seconds", a.Seconds())
	}
	q.Now = func() time.Time { return time.Now().Add(-long) }
	q.Begin(1)
	q.Begin(2)
	commit(a)
	if s := a.Seconds(); s < long.Seconds() || a.Staleness().Seconds < s {
		t.Errorf("the oldest has waited for %v seconds, want %v", s, long)
	}

	b, left := open(2, 3)
	if since, ok := left.Oldest(); !ok || since.UnixNano() != a.since.Load() || b.Seconds() < long.Seconds() {
		t.Errorf("after a restart the oldest waits since %v (%v), before it since %v", since, ok, a.since.Load())
	}
	left.Begin(4)
	left.End(2)
	left.End(3)
	commit(b)
	if s := b.Seconds(); s == 0 || s >= long.Seconds() {
		t.Errorf("what has come now has waited for %v seconds", s)
	}
	left.End(4)
	commit(b)
	if c, q := open(); c.Seconds() != 0 || q.Len() != 0 {
		t.Errorf("when nothing waits, the oldest has waited for %v seconds", c.Seconds())
	}
}
