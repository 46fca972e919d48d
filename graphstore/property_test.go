package graphstore

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestAgainstModel runs random histories on the store and on the model and
// compares everything that can be read: within transactions, after commits,
// after discarded ones, and after opening the folder again.
func TestAgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8 / every()) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			runHistory(t, seed)
		})
	}
}

func runHistory(t *testing.T, seed uint64) {
	v := &generator{rng: rand.New(rand.NewPCG(seed, 11)), m: newModel(), at: time.Unix(1_700_000_000, 0).UTC()}
	v.m.kept = 2
	dir := t.TempDir()
	open := func() *Store {
		opts := small()
		opts.Now = func() time.Time { return v.at }
		s, err := Open(dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		s.foldAfter, s.keptLabels = 50, v.m.kept
		return s
	}
	s := open()
	defer func() { checked(t, s) }()
	report := func(what string, got, want Change) {
		if !sameChange(got, want) {
			t.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
		}
	}
	for n := range 30 {
		before := v.m.clone()
		tx := s.Begin()
		for i := range 1 + v.rng.IntN(12) {
			if err := v.step(tx, report); err != nil {
				t.Fatalf("transaction %d, step %d: %v", n, i, err)
			}
		}
		if n%3 == 0 {
			// Lists of artifacts that were deleted can be read until Commit.
			if len(tx.ov.deleted) == 0 {
				v.m.compare(t, fmt.Sprintf("in transaction %d", n), &tx.Reader, historyIDs())
			}
		}
		if err := v.settlePushes(tx); err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("after transaction %d", n)
		if v.rng.IntN(5) == 0 {
			tx.Discard()
			v.m = before
			what = fmt.Sprintf("after discarding transaction %d", n)
		} else if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if waiting := uint64(len(v.m.messages)) - v.m.acked; waiting > 0 && v.rng.IntN(3) == 0 {
			ackSome(t, s, v, waiting)
		}
		if v.rng.IntN(6) == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open()
		}
		compareCommitted(t, s, v.m, what)
	}
}

// ackSome acknowledges some of the messages that wait.
func ackSome(t *testing.T, s *Store, v *generator, waiting uint64) {
	t.Helper()
	v.m.acked += 1 + v.rng.Uint64N(waiting)
	p := Position{Topic: "out", Partition: v.rng.IntN(3), Next: v.rng.Int64N(1000)}
	v.m.positions[fmt.Sprint(p.Partition)] = p
	if err := s.Ack(v.m.acked, []Position{p}); err != nil {
		t.Fatal(err)
	}
}

// compareCommitted compares what the store shows outside of transactions.
func compareCommitted(t *testing.T, s *Store, m *model, what string) {
	t.Helper()
	if err := s.View(func(r *Reader) error {
		m.compare(t, what, r, historyIDs())
		return nil
	}); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if got, want := s.Counts(), m.graph().counts; got != want {
		t.Fatalf("%s: counts %+v, want %+v", what, got, want)
	}
	depth, oldest := s.OutboxDepth()
	waiting := m.messages[m.acked:]
	var first time.Time
	if len(waiting) > 0 {
		first = waiting[0].Time
	}
	if depth != len(waiting) || !oldest.Equal(first) {
		t.Fatalf("%s: outbox of %d messages since %v, want %d since %v", what, depth, oldest, len(waiting), first)
	}
	var bytes int64
	for _, w := range waiting {
		bytes += int64(len(w.Value))
	}
	if got := s.OutboxBytes(); got != bytes {
		t.Fatalf("%s: outbox of %d bytes, want %d", what, got, bytes)
	}
	positions, err := s.Positions()
	if err != nil {
		t.Fatal(err)
	}
	if len(positions) != len(m.positions) {
		t.Fatalf("%s: positions %v, want %v", what, positions, m.positions)
	}
	for _, p := range positions {
		if m.positions[fmt.Sprint(p.Partition)] != p {
			t.Fatalf("%s: position %v, want %v", what, p, m.positions[fmt.Sprint(p.Partition)])
		}
	}
}
