package graphstore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// outboxOf is the outbox as who opens a folder finds it: writer, messages and positions.
func outboxOf(t *testing.T, s *Store) string {
	t.Helper()
	b := readBetween(t, s)
	var writer string
	if err := s.View(func(r *Reader) (err error) {
		writer, err = r.Writer()
		return err
	}); err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("writer %q, next %d, positions %v:", writer, s.NextSeq(), b.positions)
	for _, m := range b.messages {
		out += fmt.Sprintf(" %d %s", m.Seq, m.Value)
	}
	return out
}

// TestResetOutbox: at every step of a history of messages, acknowledgements and resets, the store has what the history says, in
// memory, after it was opened again, and in a store that takes its outbox.
func TestResetOutbox(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8 / every()) {
		rng := rand.New(rand.NewPCG(seed, 18))
		dir := t.TempDir()
		s, err := Open(dir, small())
		if err != nil {
			t.Fatal(err)
		}
		writer, next, waiting, position := s.UUID(), 1, []string{}, int64(0)
		want := func() string {
			positions := []Position{}
			if position > 0 {
				positions = append(positions, Position{"out", 0, position})
			}
			out := fmt.Sprintf("writer %q, next %d, positions %v:", writer, next, positions)
			for i, w := range waiting {
				out += fmt.Sprintf(" %d %s", next-len(waiting)+i, w)
			}
			return out
		}
		for step := range 40 {
			value := fmt.Sprint("m", step)
			switch dice := rng.IntN(10); {
			case dice < 5:
				commitAll(t, s, func(tx *Tx) error {
					_, err := tx.Enqueue([]byte(value))
					return err
				})
				next, waiting = next+1, append(waiting, value)
			case dice < 7:
				n := rng.IntN(len(waiting) + 1)
				waiting, position = waiting[n:], int64(step)+1
				if err := s.Ack(uint64(next-1-len(waiting)), []Position{{"out", 0, position}}); err != nil {
					t.Fatal(err)
				}
			case dice < 9:
				waiting = slices.DeleteFunc(waiting, func(string) bool { return rng.IntN(2) == 0 })
				waiting = append(waiting, value)
				writer, next, position = fmt.Sprint("w", step), len(waiting)+1, int64(step)+1
				values := make([][]byte, len(waiting))
				for i, w := range waiting {
					values[i] = []byte(w)
				}
				commitAll(t, s, func(tx *Tx) error { return tx.ResetOutbox(writer, values, []Position{{"out", 0, position}}) })
			default:
				checked(t, s)
				if s, err = Open(dir, small()); err != nil {
					t.Fatal(err)
				}
			}
			if got := outboxOf(t, s); got != want() {
				t.Fatalf("seed %d, step %d: %s\nwant %s", seed, step, got, want())
			}
		}
		heir, err := Open(t.TempDir(), Options{UUID: s.UUID(), SyncWrites: NoSync})
		if err != nil {
			t.Fatal(err)
		}
		if err := takeOutbox(heir, s); err != nil {
			t.Fatal(err)
		}
		if got := outboxOf(t, heir); got != want() {
			t.Errorf("seed %d: taken: %s\nwant %s", seed, got, want())
		}
		checked(t, heir)
		checked(t, s)
	}
}

// TestResetOutboxAtEveryCrash: a reset with messages large enough for the redo log is there as a whole or not at all, whichever
// write fails.
func TestResetOutboxAtEveryCrash(t *testing.T) {
	t.Parallel()
	values := make([][]byte, 40)
	for i := range values {
		values[i] = make([]byte, 50<<10)
	}
	reset := func(s *Store) error {
		tx := s.Begin()
		defer tx.Discard()
		if err := tx.ResetOutbox("another", values, []Position{{"out", 1, 7}}); err != nil {
			return err
		}
		return tx.Commit()
	}
	for k := 1; ; k += every() {
		dir, writes := t.TempDir(), 0
		opts := small()
		s, err := Open(dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		enqueue(t, s, 60, "a", 5)
		before := outboxOf(t, s)
		checked(t, s)
		opts.BeforeWrite = func(string) error {
			if writes++; writes >= k {
				return errPlanned
			}
			return nil
		}
		if s, err = Open(dir, opts); err != nil {
			t.Fatal(err)
		}
		failed := reset(s)
		if failed != nil && !errors.Is(failed, errPlanned) {
			t.Fatal(failed)
		}
		if err := s.Close(); failed == nil && err != nil {
			t.Fatal(err)
		}
		if s, err = Open(dir, small()); err != nil {
			t.Fatal(err)
		}
		if got := outboxOf(t, s); got != before {
			if err := reset(s); err != nil { // as a whole: it is what another reset makes of it
				t.Fatal(err)
			}
			if after := outboxOf(t, s); got != after {
				t.Fatalf("crash at write %d: %.300s\nwant %.300s\nor %.300s", k, got, before, after)
			}
		} else if failed == nil {
			t.Fatalf("crash at write %d: nothing was reset", k)
		}
		checked(t, s)
		if failed == nil {
			if k < 5 {
				t.Errorf("only %d writes: the redo log was not needed", k-1)
			}
			return
		}
	}
}

// TestForgetPositions: those of the named topics are gone, also after the folder was opened again, and no others.
func TestForgetPositions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(dir, small())
	if err != nil {
		t.Fatal(err)
	}
	kept := []Position{{"a", 0, 1}, {"aa", 0, 2}}
	if err := s.Ack(0, append([]Position{{"b", 0, 3}, {"b", 1, 4}, {"c", 0, 5}}, kept...)); err != nil {
		t.Fatal(err)
	}
	commitAll(t, s, func(tx *Tx) error { return tx.ForgetPositions([]string{"b", "c", "d"}) })
	for range 2 {
		if got, err := s.Positions(); err != nil || !slices.Equal(got, kept) {
			t.Errorf("%v (%v), want %v", got, err, kept)
		}
		checked(t, s)
		if s, err = Open(dir, small()); err != nil {
			t.Fatal(err)
		}
	}
	checked(t, s)
}
