package graphstore

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestAcksAfterCrash: at every step of a history of messages and acknowledgements the store tells what was acknowledged, and a copy of its folder, which
// is what a crash leaves, has all messages and the acknowledgements that were given before the last write, with the positions of these.
func TestAcksAfterCrash(t *testing.T) {
	t.Parallel()
	type acked struct {
		upto      int
		positions []Position
	}
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 20))
		live, crashes := t.TempDir(), t.TempDir()
		s, err := Open(live, small())
		if err != nil {
			t.Fatal(err)
		}
		var seen, durable acked
		last := 0
		check := func(what string, s *Store, want acked) {
			t.Helper()
			b := readBetween(t, s)
			var messages, wanted []int
			for _, m := range b.messages {
				messages = append(messages, int(m.Seq))
			}
			for seq := want.upto + 1; seq <= last; seq++ {
				wanted = append(wanted, seq)
			}
			if b.depth != len(wanted) || !slices.Equal(messages, wanted) || !slices.Equal(b.positions, want.positions) {
				t.Fatalf("seed %d: %s: messages %v (%d), positions %v; want %v, %v", seed, what, messages, b.depth, b.positions, wanted, want.positions)
			}
		}
		for step := range 24 {
			switch dice := rng.IntN(10); {
			case dice < 4:
				commitAll(t, s, func(tx *Tx) error {
					_, err := tx.Enqueue(nil)
					return err
				})
				last++
				durable = seen
			case dice < 8:
				seen.upto += rng.IntN(last - seen.upto + 1)
				p := Position{fmt.Sprint("out", rng.IntN(2)), rng.IntN(2), int64(step)}
				seen.positions = withPositions(seen.positions, []Position{p})
				if err := s.Ack(uint64(seen.upto), []Position{p}); err != nil {
					t.Fatal(err)
				}
			case dice < 9:
				commitAll(t, s, func(tx *Tx) error { return errors.Join(tx.ForgetPositions([]string{"out0"}), tx.PutMeta("m", nil)) })
				seen.positions = slices.DeleteFunc(slices.Clone(seen.positions), func(p Position) bool { return p.Topic == "out0" })
				durable = seen
			default:
				s.writeAcks()
				durable = seen
			}
			check(fmt.Sprint("step ", step), s, seen)
			if rng.IntN(3) > 0 {
				continue
			}
			dir := filepath.Join(crashes, fmt.Sprint(step))
			if err := os.CopyFS(dir, os.DirFS(live)); err != nil {
				t.Fatal(err)
			}
			after, err := Open(dir, small())
			if err != nil {
				t.Fatal(err)
			}
			check(fmt.Sprintf("step %d, after a crash", step), after, durable)
			checked(t, after)
		}
		checked(t, s)
		if s, err = Open(live, small()); err != nil {
			t.Fatal(err)
		}
		check("closed and opened again", s, seen)
		checked(t, s)
	}
}

// TestAcksRideAlong: an acknowledgement is a write of its own only if no commit comes, and then without anybody's doing.
func TestAcksRideAlong(t *testing.T) {
	t.Parallel()
	steps, wrote := map[string]int{}, make(chan struct{}, 1)
	opts := small()
	opts.BeforeWrite = func(step string) error {
		if steps[step]++; step == "ack" {
			wrote <- struct{}{}
		}
		return nil
	}
	s, err := Open(t.TempDir(), opts)
	if err != nil {
		t.Fatal(err)
	}
	const n = 20
	for i := range uint64(n) {
		commitAll(t, s, func(tx *Tx) error {
			_, err := tx.Enqueue(nil)
			return err
		})
		if err := s.Ack(i+1, []Position{{"out", 0, int64(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	if want := map[string]int{"open": 1, "commit": n}; !maps.Equal(steps, want) {
		t.Errorf("%v, want %v", steps, want)
	}
	if rows := rowsOf(t, s); rows[string(seqKey(n-1))] != "" || rows[string(seqKey(n))] == "" {
		t.Error("the last commit has not written the acknowledgements before it, or has written that after it")
	}
	s.opts.ackWait = time.Millisecond
	s.box.again(s.laterWriteAcks)
	<-wrote
	s.writer.Lock() // until it is written
	rows, acks := rowsOf(t, s), steps["ack"]
	s.writer.Unlock()
	if rows[string(seqKey(n))] != "" || acks != 1 {
		t.Errorf("the last acknowledgement is not written, or in %d steps", acks)
	}
	checked(t, s)
}
