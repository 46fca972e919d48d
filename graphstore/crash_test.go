package graphstore

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"
)

var errPlanned = errors.New("planned crash")

// rowsOf is the whole committed state as badger has it, row by row, but for
// the identity of the store.
func rowsOf(t testing.TB, s *Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	if err := s.db.View(func(txn *badger.Txn) error {
		return scanRows(txn, nil, func(k, v []byte) error {
			if k[0] != keyHead {
				out[string(k)] = string(v)
			}
			return nil
		})
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// crashHistory is a list of events, each atomic, that do the same each time.
type crashHistory struct {
	events []func(*Store) error
	// acks are the places of the acknowledgements among them.
	acks []int
}

// newCrashHistory makes transactions, small ones and such as need the redo
// log, and acknowledgements between them, of which some are written by themselves.
func newCrashHistory(t testing.TB, transactions int) *crashHistory {
	h := &crashHistory{}
	v := &generator{rng: rand.New(rand.NewPCG(5, 5)), m: newModel(), at: time.Unix(1_700_000_000, 0).UTC()}
	for n := range transactions {
		// The history is made up once, on a model, and recorded as calls.
		var calls []func(*Tx) error
		for range 6 {
			id := fmt.Sprintf("a%d", v.rng.IntN(historyArtifacts))
			if _, there := v.m.artifacts[id]; there && v.rng.IntN(3) == 0 {
				v.m.delete(id)
				calls = append(calls, func(tx *Tx) error { _, err := tx.DeleteArtifact(id); return err })
				continue
			}
			doc := Doc{ID: id, Raw: fmt.Appendf(nil, "raw %d", n), Evidence: make([]byte, v.rng.IntN(40))}
			if n%4 == 1 {
				doc.Evidence = make([]byte, 40<<10) // six of these need the redo log
			}
			if n%5 == 0 {
				doc.Raw = make([]byte, 70<<10) // to the value log
			}
			specs := v.specs(id)
			v.m.put(doc, specs)
			calls = append(calls, func(tx *Tx) error { _, err := tx.PutArtifact(doc, specs); return err })
		}
		calls = append(calls,
			func(tx *Tx) error { _, err := tx.Enqueue(fmt.Appendf(nil, "message %d", n)); return err },
			func(tx *Tx) error { return tx.AddTerms(slices.Values([]uint32{uint32(n), uint32(5000 * n)}), 1) },
			func(tx *Tx) error { return tx.SetOffset("in", 0, Offset{Next: int64(n), Log: fmt.Sprint("log ", n)}) },
		)
		h.events = append(h.events, func(s *Store) error {
			tx := s.Begin()
			defer tx.Discard()
			for _, call := range calls {
				if err := call(tx); err != nil {
					return err
				}
			}
			return tx.Commit()
		})
		if n%3 == 2 {
			h.acks = append(h.acks, len(h.events))
			h.events = append(h.events, func(s *Store) error {
				return s.Ack(uint64(n), []Position{{"out", 0, int64(n)}})
			})
		}
		if n%6 == 5 {
			h.events = append(h.events, func(s *Store) error {
				s.writeAcks()
				return s.Err()
			})
		}
	}
	return h
}

// injector fails the k-th step that writes; 0: none.
type injector struct {
	k, steps int
	names    map[string]int
}

func (i *injector) before(step string) error {
	if i.names != nil {
		i.names[step]++
	}
	if i.steps++; i.steps == i.k {
		return errPlanned
	}
	return nil
}

func (h *crashHistory) open(dir string, inj *injector) (*Store, error) {
	opts := small()
	opts.BeforeWrite = inj.before
	opts.Now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	s, err := Open(dir, opts)
	if err == nil {
		s.foldAfter, s.keptLabels = 10, 2
	}
	return s, err
}

// TestCrashAtEveryStep fails the k-th step that writes, for every k until none
// is left. Each time the folder is opened again, with recovery itself failing
// at its first, second, ... step; the state must be exactly that before or
// after the event which was hit, and going on must end in the state of a run
// that was never disturbed. An acknowledgement that was lost is given again.
func TestCrashAtEveryStep(t *testing.T) {
	t.Parallel()
	const transactions = 10
	h := newCrashHistory(t, transactions)
	// states[i] is the state after i events.
	var states []map[string]string
	calm := &injector{names: map[string]int{}}
	s, err := h.open(t.TempDir(), calm)
	if err != nil {
		t.Fatal(err)
	}
	states = append(states, rowsOf(t, s))
	for _, event := range h.events {
		if err := event(s); err != nil {
			t.Fatal(err)
		}
		states = append(states, rowsOf(t, s))
	}
	checked(t, s)
	for _, step := range []string{"open", "commit", "ack", "redo-log", "redo-apply"} {
		if calm.names[step] == 0 {
			t.Fatalf("the history has no step %q: %v", step, calm.names)
		}
	}
	base := t.TempDir()
	for k := 1; k <= calm.steps; k++ {
		crashOnce(t, h, filepath.Join(base, fmt.Sprint(k)), k, states)
	}
}

func crashOnce(t *testing.T, h *crashHistory, dir string, k int, states []map[string]string) {
	t.Helper()
	done := 0
	s, err := h.open(dir, &injector{k: k})
	for err == nil && done < len(h.events) {
		if err = h.events[done](s); err == nil {
			done++
		}
	}
	if !errors.Is(err, errPlanned) {
		t.Fatalf("step %d: the crash did not come: %v", k, err)
	}
	if s != nil {
		mustHaveFailed(t, s)
	}
	s = reopen(t, h, dir, k)
	got := rowsOf(t, s)
	switch {
	case maps.Equal(got, states[done]):
	case done < len(h.events) && maps.Equal(got, states[done+1]):
		done++
	default:
		t.Fatalf("step %d: the state after recovery is neither that before event %d nor that after it", k, done)
	}
	if done > 0 && slices.Contains(h.acks, done-1) {
		done-- // nothing has written it
	}
	for ; done < len(h.events); done++ {
		if err := h.events[done](s); err != nil {
			t.Fatalf("step %d: event %d after recovery: %v", k, done, err)
		}
	}
	if !maps.Equal(rowsOf(t, s), states[len(states)-1]) {
		t.Fatalf("step %d: the end is not that of an undisturbed run", k)
	}
	checked(t, s)
}

// reopen lets recovery fail at each of its steps in turn.
func reopen(t *testing.T, h *crashHistory, dir string, k int) *Store {
	t.Helper()
	for j := 1; ; j++ {
		s, err := h.open(dir, &injector{k: j})
		if err == nil {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = h.open(dir, &injector{}); err != nil {
				t.Fatal(err)
			}
			return s
		}
		if !errors.Is(err, errPlanned) || j > 100 {
			t.Fatalf("step %d, recovery %d: %v", k, j, err)
		}
	}
}

// mustHaveFailed asks a failed store for everything, and closes it.
func mustHaveFailed(t *testing.T, s *Store) {
	t.Helper()
	tx := s.Begin()
	_, putErr := tx.PutArtifact(Doc{ID: "x"}, nil)
	_, readErr := tx.Node(1)
	for what, err := range map[string]error{
		"put": putErr, "read": readErr, "commit": tx.Commit(),
		"view": s.View(func(*Reader) error { return nil }), "ack": s.Ack(0, nil),
		"wait": s.WaitOutbox(t.Context(), 1), "check": s.Check(func(string) {}), "close": s.Close(),
	} {
		if !errors.Is(err, ErrFailed) || !errors.Is(err, errPlanned) {
			t.Errorf("%s of a failed store: %v", what, err)
		}
	}
}
