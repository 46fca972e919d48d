package graphstore

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// TestSequenceSurvives: message numbers go on after everything was acknowledged
// and the folder was opened again, and those of a discarded transaction are reused.
func TestSequenceSurvives(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := uint64(1)
	for range 3 {
		s, err := Open(dir, small())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			tx := s.Begin()
			if seq, err := tx.Enqueue(nil); seq != want || err != nil {
				t.Errorf("message %d, want %d (%v)", seq, want, err)
			}
			tx.Discard()
			commitAll(t, s, func(tx *Tx) error {
				seq, err := tx.Enqueue([]byte("x"))
				if seq != want {
					t.Errorf("message %d, want %d", seq, want)
				}
				return err
			})
			want++
		}
		if err := s.Ack(want-1, nil); err != nil {
			t.Fatal(err)
		}
		if depth, oldest := s.OutboxDepth(); depth != 0 || !oldest.IsZero() {
			t.Errorf("%d messages since %v after all were acknowledged", depth, oldest)
		}
		checked(t, s)
	}
}

// TestAckOfMany takes more than one transaction.
func TestAckOfMany(t *testing.T) {
	t.Parallel()
	s := openSmall(t)
	defer checked(t, s)
	const n = ackRows*2 + 5
	commitAll(t, s, func(tx *Tx) error {
		for range n {
			if _, err := tx.Enqueue(nil); err != nil {
				return err
			}
		}
		return nil
	})
	want := []Position{{"out", 2, 9}}
	if err := s.Ack(n-1, want); err != nil {
		t.Fatal(err)
	}
	if depth, _ := s.OutboxDepth(); depth != 1 {
		t.Errorf("%d messages are left, want 1", depth)
	}
	if got, err := s.Positions(); !slices.Equal(got, want) || err != nil {
		t.Errorf("positions %v (%v), want %v", got, err, want)
	}
}

func TestWaitOutbox(t *testing.T) {
	t.Parallel()
	s := openSmall(t)
	commitAll(t, s, func(tx *Tx) error {
		_, err := tx.Enqueue(nil)
		return errors.Join(err, func() error { _, err := tx.Enqueue(nil); return err }())
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	wait := func(ctx context.Context, max int) { go func() { done <- s.WaitOutbox(ctx, max) }() }
	wait(ctx, 2)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	wait(t.Context(), 2)
	if err := s.Ack(1, nil); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("after an acknowledgement: %v", err)
	}
	wait(t.Context(), 1)
	checked(t, s)
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("of a closed store: %v", err)
	}
}
