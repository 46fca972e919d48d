package standby

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/learner/train/registry"
)

// poisoned is a record that passes every check and makes its unit fail after it has changed the graph: it says one id, of which
// nothing is stored, and carries another, which no decoder lets through.
func poisoned(it consumer.Item) consumer.Item {
	a := *it.Artifact
	it.ID, a.ID = fmt.Sprintf("poison %d", it.Offset), "antidote"
	it.Artifact = &a
	return it
}

// reasons are those of the dead letters, by the records' keys.
func (o *topic) reasons() map[string][]string {
	o.lock.Lock()
	defer o.lock.Unlock()
	out := map[string][]string{}
	for _, m := range o.letters {
		for _, h := range m.Headers {
			if strings.HasSuffix(h.Key, ".exception.message") {
				out[string(m.Key)] = append(out[string(m.Key)], string(h.Value))
			}
		}
	}
	return out
}

// TestPoisonousRecords: records that make their unit fail, among others and while another model's state is made beside, become
// dead letters; all others are applied, and the lists are those of a state that never saw the poison.
func TestPoisonousRecords(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			changes, _ := history(seed, 150, 40)
			rng := rand.New(rand.NewPCG(seed, 9))
			bad := map[int]bool{}
			last := map[string]change{}
			for i, c := range changes {
				if c.fields != nil && rng.IntN(10) == 0 {
					bad[i] = true
				} else if last[c.id] = c; c.fields == nil {
					delete(last, c.id)
				}
			}
			var live []change
			for _, id := range slices.Sorted(maps.Keys(last)) {
				live = append(live, last[id])
			}
			feed := func(i int) consumer.Item {
				it := item(changes[i], int64(i))
				if bad[i] {
					it = poisoned(it)
				}
				return it
			}
			l, err := open(t, t.TempDir(), newTopic(), nil)
			if err != nil {
				t.Fatal(err)
			}
			l.run()
			for _, step := range []func() error{
				func() error { return l.applyItems(feed, 70, 1+rng.IntN(20)) },
				func() error { return l.manager.Promote(2) },
				func() error { return l.applyItems(feed, len(changes), 1+rng.IntN(20)) },
				func() error { return l.await(l.settled(2)) },
			} {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
			if next, _, err := l.manager.StoredOffset("in", 0); err != nil || int(next.Next) != len(changes) {
				t.Errorf("the offset is %d (%v), want %d", next.Next, err, len(changes))
			}
			l.audit("after the poison", live, fromTheStart(t, 2, live), 1, 2)
			told := 0
			for id, reasons := range l.topic.reasons() {
				for _, r := range reasons {
					told++
					if !strings.Contains(r, profile.ReasonUnprocessable) {
						t.Errorf("%q is refused with %q", id, r)
					}
				}
			}
			if told != len(bad) {
				t.Errorf("%d dead letters, want %d", told, len(bad))
			}
			if err := l.manager.Engine().Check(func(f string) { t.Error(f) }); err != nil {
				t.Error(err)
			}
			if err := l.end(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRecordThatEndsProcesses: a record within which three processes in a row have ended is refused by the fourth; one within which
// fewer have ended, or that was applied since, is not.
func TestRecordThatEndsProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	changes, _ := history(5, 60, 30)
	o := newTopic()
	file := filepath.Join(dir, "UNFINISHED")
	for death := range mostDeaths {
		l, err := open(t, dir, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		l.run()
		if death == 0 {
			if err := l.apply(changes, 20, 7); err != nil {
				t.Fatal(err)
			}
			l.manager.suspicion.careful = true // as after a process that did not end well
		}
		fatal := item(changes[20], 20)
		if refusal, err := l.manager.suspicion.begin(&fatal); err != nil || refusal != nil {
			t.Fatalf("death %d: refused with %v, %v", death, refusal, err)
		}
		left, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.end(); err != nil {
			t.Fatal(err)
		}
		if kept, err := os.ReadFile(file); err != nil || death > 0 && !strings.Contains(string(kept), fmt.Sprintf(`"deaths":%d`, death)) {
			t.Errorf("a process that applied nothing left %q (%v), want what it found", kept, err)
		}
		if err := os.WriteFile(file, left, 0o600); err != nil { // a process that is killed leaves it
			t.Fatal(err)
		}
	}
	l, err := open(t, dir, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.run()
	if err := errors.Join(l.apply(changes, len(changes), 9), l.await(l.settled(1))); err != nil {
		t.Fatal(err)
	}
	reasons := o.reasons()
	if len(reasons) != 1 || len(reasons[changes[20].id]) != 1 || !strings.Contains(reasons[changes[20].id][0], "3 processes in a row") {
		t.Errorf("refused are %v, want %q alone", reasons, changes[20].id)
	}
	if err := l.end(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("after an end in good order the file is there (%v)", err)
	}
}

// TestLostCurrent: a folder whose CURRENT is lost, or whose serving instance is, is refused and stays as it is.
func TestLostCurrent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	changes, live := history(6, 60, 30)
	o := newTopic()
	life := func() *life {
		t.Helper()
		l, err := open(t, dir, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		l.run()
		return l
	}
	l := life()
	for _, step := range []func() error{
		func() error { return l.apply(changes, len(changes), 9) },
		func() error { return l.manager.Promote(2) },
		func() error { return l.await(l.settled(2)) },
		l.end,
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"CURRENT", filepath.Join("generations", "0002", "graph")} {
		away := filepath.Join(t.TempDir(), "away")
		if err := os.Rename(filepath.Join(dir, name), away); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, dir, o, nil); err == nil || !strings.Contains(err.Error(), "CURRENT") {
			t.Errorf("without %s: %v, want it refused", name, err)
		}
		if err := os.Rename(away, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	l = life()
	l.audit("with all put back", live, fromTheStart(t, 2, live), 1, 2)
	if err := l.end(); err != nil {
		t.Error(err)
	}
}

// TestFullDiskIsNoPoison: a unit that fails since the disk is full ends the daemon with that sentence, and makes no dead letters.
func TestFullDiskIsNoPoison(t *testing.T) {
	t.Parallel()
	var full atomic.Bool
	dir := t.TempDir()
	models, err := registry.Open(filepath.Join(dir, "models"), registry.Model{Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := newTopic()
	looks := 0
	l, err := openWith(t, dir, o, models, nil, func(c *Config) {
		c.Store.FreeSpace = func(string) (int64, error) {
			if looks++; full.Load() && looks > 1 { // the look before the unit still finds room
				return 0, nil
			}
			return 1 << 50, nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	changes, _ := history(7, 40, 20)
	if err := l.manager.Apply(t.Context(), &consumer.Batch{Items: []consumer.Item{item(changes[0], 0)}, Next: []consumer.Offset{{Topic: "in", Next: 1}}}); err != nil {
		t.Fatal(err)
	}
	looks = 0
	full.Store(true)
	err = l.manager.Apply(t.Context(), &consumer.Batch{Items: []consumer.Item{item(changes[1], 1), item(changes[2], 2)}, Next: []consumer.Offset{{Topic: "in", Next: 3}}})
	if !errors.Is(err, graphstore.ErrNoSpace) {
		t.Errorf("ended with %v, want the full disk", err)
	}
	full.Store(false)
	if next, _, err := l.manager.StoredOffset("in", 0); err != nil || next.Next != 1 {
		t.Errorf("the offset is %d (%v), want 1: nothing was refused", next.Next, err)
	}
	if err := l.manager.Close(); err != nil {
		t.Error(err)
	}
}
