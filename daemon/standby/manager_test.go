package standby

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"kilim/graphstore"
	"kilim/learner/train/registry"
	"kilim/rerank"
)

func start(t testing.TB, dir string, o *topic) *life {
	t.Helper()
	l, err := open(t, dir, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.run()
	return l
}

func (l *life) must(errs ...error) {
	l.t.Helper()
	if err := errors.Join(errs...); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) check() {
	l.t.Helper()
	l.must(l.manager.Engine().Check(func(p string) { l.t.Error(p) }))
}

// TestPromoteAndRollBack promotes two models under a feed and goes back to the first: after each the lists are, bit for
// bit, those of a state that has had this model from the start, and everything that was published is one history.
func TestPromoteAndRollBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	changes, live := history(1, 160, 40)
	o := newTopic()
	l := start(t, dir, o)
	l.must(l.apply(changes, 60, 9), l.manager.Promote(2), l.apply(changes, 100, 5), l.await(l.settled(2)))
	l.check()
	if m, err := l.manager.cfg.Models.Get(2); err != nil || m.State != registry.Promoted {
		t.Errorf("the model that serves is %+v (%v)", m, err)
	}
	l.must(l.manager.Promote(3), l.apply(changes, 130, 7), l.await(l.settled(3)), l.end())

	l = start(t, dir, o)
	if l.manager.Engine().Status().Epoch != 3 {
		t.Errorf("after a restart epoch %d serves, want 3", l.manager.Engine().Status().Epoch)
	}
	l.must(l.manager.Rollback(1), l.apply(changes, 160, 4), l.await(l.settled(1)))
	l.audit("in the end", live, fromTheStart(t, 1, live), 1, 2, 3, 1)
	l.check()
	left, err := filepath.Glob(filepath.Join(dir, "generations", "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("left are %v (%v), want the one that serves", left, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "graph")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the first instance is there still: %v", err)
	}
	l.must(l.end())
}

// TestNoAnswerIsOfTwoModels reads while another model is promoted: every answer is, bit for bit, that of its epoch's
// state, and no reader sees an older epoch after a newer one.
func TestNoAnswerIsOfTwoModels(t *testing.T) {
	t.Parallel()
	_, live := history(2, 120, 40)
	want := map[uint32]map[string]rerank.Lists{1: fromTheStart(t, 1, live), 2: fromTheStart(t, 2, live)}
	l := start(t, t.TempDir(), newTopic())
	l.must(l.apply(live, len(live), 16), l.await(l.settled(1)))
	// Each reader asks until it has had every list from the promoted model, or that has failed.
	var wg sync.WaitGroup
	failed := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			epoch := uint32(1)
			for promoted := 0; promoted < len(live); {
				promoted = 0
				for _, c := range live {
					select {
					case <-failed:
						return
					default:
					}
					e := l.manager.Engine()
					a, err := e.Queries().Similar(l.ctx, c.id, "general", 5)
					if errors.Is(err, graphstore.ErrClosed) && e != l.manager.Engine() {
						continue // asked too late of the one that has gone: the API asks again too
					}
					if err != nil {
						t.Error(err)
						return
					}
					if a.Epoch < epoch {
						t.Errorf("epoch %d after epoch %d", a.Epoch, epoch)
						return
					}
					epoch = a.Epoch
					if epoch == 2 {
						promoted++
					}
					expected := want[a.Epoch][c.id].Get(rerank.ListGeneral)
					if !slices.Equal(a.Items, expected) {
						t.Errorf("an answer of epoch %d is %+v, want %+v", a.Epoch, a.Items, expected)
						return
					}
				}
			}
		})
	}
	err := errors.Join(l.manager.Promote(2), l.await(l.settled(2)))
	if err != nil {
		close(failed)
	}
	wg.Wait()
	l.must(err)
	l.audit("promoted", live, want[2], 1, 2)
	l.must(l.end())
}

// TestAbandon asks for other models before one is made, and for the one that serves.
func TestAbandon(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	changes, live := history(3, 100, 30)
	o := newTopic()
	l := start(t, dir, o)
	l.must(l.apply(changes, 100, 20), l.await(l.settled(1)))
	l.must(l.manager.Promote(2), l.manager.Promote(3), l.manager.Promote(2), l.manager.Promote(3), l.await(l.settled(3)))
	l.must(l.manager.Promote(2), l.manager.Promote(3), l.await(func() bool { return l.manager.Status().Next == nil }))
	if got := l.manager.Status().Serving.Epoch; got != 3 && got != 2 {
		t.Errorf("epoch %d serves", got)
	}
	for epoch, want := range map[uint32]error{9: registry.ErrUnknown} {
		if err := l.manager.Promote(epoch); !errors.Is(err, want) {
			t.Errorf("promote epoch %d: %v, want %v", epoch, err, want)
		}
	}
	bad, err := l.manager.cfg.Models.Add(registry.Model{Seed: 9})
	l.must(err)
	if err := l.manager.Rollback(bad.Epoch); !errors.Is(err, registry.ErrState) {
		t.Errorf("back to a model that has never served: %v", err)
	}
	_, err = l.manager.cfg.Models.SetState(bad.Epoch, registry.Rejected, nil, "worse")
	l.must(err)
	if err := l.manager.Promote(bad.Epoch); !errors.Is(err, registry.ErrState) {
		t.Errorf("promote a rejected model: %v", err)
	}
	l.must(l.manager.Promote(3), l.await(l.settled(3)))
	l.audit("in the end", live, fromTheStart(t, 3, live), 1, 3)
	l.must(l.end())
}

var errPlanned = errors.New("planned crash")

// stride is between the writes at which TestCrashAtEveryWrite crashes; in a short run, as that under the race detector is (see
// .ci/run), it crashes at a third of these.
func stride() int {
	if testing.Short() {
		return 27
	}
	return 9
}

// TestCrashAtEveryWrite fails a write, of a store or of a file, in a feed with a promotion and the way back, and each
// time opens what is left: one of the states is there, whole; and in the end nothing is lost and nothing is
// there twice.
func TestCrashAtEveryWrite(t *testing.T) {
	t.Parallel()
	changes, live := history(4, 48, 14)
	want := fromTheStart(t, 1, live)
	for k := 1; ; k += stride() {
		crashed := crashAt(t, k, changes, live, want)
		if t.Failed() {
			return
		}
		if !crashed {
			if k < 50 {
				t.Errorf("only %d writes", k)
			}
			t.Logf("fewer than %d writes, every %dth failed in turn", k, stride())
			return
		}
	}
}

func crashAt(t *testing.T, k int, changes, live []change, want map[string]rerank.Lists) (crashed bool) {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var lock sync.Mutex
	writes, step := 0, ""
	before := func(s string) error {
		lock.Lock()
		defer lock.Unlock()
		if writes++; writes == k {
			step = s
			return errPlanned
		}
		if writes > k && step != "" {
			return errPlanned // a crashed process writes nothing more
		}
		return nil
	}
	o := newTopic()
	asked := 0 // how many promotions have been asked for and answered
	for {
		l, err := open(t, dir, o, before)
		if err == nil {
			l.run()
			err = l.story(changes, &asked)
			if err == nil {
				l.audit(fmt.Sprintf("crash at write %d (%s)", k, step), live, want, 1, 2, 1)
				l.check()
			}
			if ended := l.end(); err == nil {
				err = ended
			}
		}
		if err == nil {
			return crashed
		}
		if !errors.Is(err, errPlanned) || crashed {
			t.Fatalf("crash at write %d (%s): %v", k, step, err)
		}
		crashed = true
		before = nil
		c, err := (layout{data: dir}).read()
		if err != nil {
			t.Fatalf("crash at write %d (%s): %v", k, step, err)
		}
		whole(t, dir, fmt.Sprintf("crash at write %d (%s): instance %+v", k, step, c.Serving))
	}
}

// story is a feed with a promotion and the way back.
func (l *life) story(changes []change, asked *int) error {
	// A request that failed may have been written down all the same.
	if s := l.manager.Status(); *asked == 1 && (s.Serving.Number > 2 || s.Next != nil && s.Next.Epoch == 1) {
		*asked = 2
	}
	for i, part := range []struct {
		upto  int
		epoch uint32
	}{{24, 2}, {40, 1}} {
		if err := l.apply(changes, part.upto, 8); err != nil {
			return err
		}
		if *asked == i {
			promote := l.manager.Promote
			if i == 1 {
				promote = l.manager.Rollback
			}
			if err := promote(part.epoch); err != nil {
				return err
			}
			*asked++
		}
		if *asked > i+1 {
			continue // asked for the next before a crash
		}
		if err := l.apply(changes, part.upto+8, 4); err != nil {
			return err
		}
		if err := l.await(l.settled(part.epoch)); err != nil {
			return err
		}
	}
	return l.await(l.settled(1))
}

// whole verifies what serves in a folder, without letting it work.
func whole(t *testing.T, dir, what string) {
	t.Helper()
	l, err := open(t, dir, nil, nil)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if err := l.manager.Engine().Check(func(p string) { t.Errorf("%s: %s", what, p) }); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if err := l.manager.Close(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
