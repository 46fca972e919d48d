package standby

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"kilim/internal/atomicfile"
)

// TestCurrentThatMayNotOutliveACrash has the sync behind each change of CURRENT fail once: what the Manager goes by is what
// CURRENT says, and the build that it asks for is made, or abandoned.
func TestCurrentThatMayNotOutliveACrash(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	before := func(step string) error {
		if strings.HasSuffix(step, "sync") && failing.CompareAndSwap(true, false) {
			return errPlanned
		}
		return nil
	}
	changes, _ := history(9, 60, 15)
	l, err := open(t, t.TempDir(), newTopic(), nil)
	if err != nil {
		t.Fatal(err)
	}
	l.manager.layout.before = before
	agree := func(what string) {
		t.Helper()
		l.manager.lock.Lock()
		defer l.manager.lock.Unlock()
		there, err := l.manager.layout.read()
		if err != nil || !there.equal(l.manager.cur) {
			t.Errorf("%s: CURRENT says %+v (%v), the Manager goes by %+v", what, there, err, l.manager.cur)
		}
	}
	unsure := func(what string, epoch uint32) {
		t.Helper()
		failing.Store(true)
		if err := l.manager.Promote(epoch); !errors.Is(err, atomicfile.ErrUnsure) {
			t.Errorf("%s: %v, want ErrUnsure", what, err)
		}
		agree(what)
	}
	// Nothing is at work yet: CURRENT changes by these alone.
	unsure("promote", 2)
	unsure("another instead", 3)
	unsure("none, after all", 1)
	if s := l.manager.Status(); s.Next != nil {
		t.Errorf("%+v is made, and nothing was to be", s.Next)
	}
	unsure("and yet", 2)
	l.run()
	if err := errors.Join(l.apply(changes, len(changes), 10), l.await(l.settled(2))); err != nil {
		t.Fatal(err)
	}
	agree("at rest")
	if err := l.end(); err != nil {
		t.Error(err)
	}
}
