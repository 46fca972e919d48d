package standby

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// published are the lists that a folder has published, of all artifacts that it has.
func (l *life) published() map[string]rerank.Lists {
	l.t.Helper()
	out := map[string]rerank.Lists{}
	rows := func(r *graphstore.Reader, id string) (row topk.Row) {
		b, err := r.Lists(graphstore.ID(graphstore.Artifact, id))
		if err == nil && b != nil {
			err = row.Unmarshal(b)
		}
		l.must(err)
		return row
	}
	l.must(l.manager.View(func(r *graphstore.Reader) error {
		ids, err := r.ArtifactsAfter(0, 1000)
		for _, id := range ids {
			row := rows(r, id)
			if row.Revision == 0 && l.manager.previous != nil {
				if err := l.manager.previous.View(func(r *graphstore.Reader) error { row = rows(r, id); return nil }); err != nil {
					return err
				}
			}
			out[id] = row.Published()
		}
		return err
	}))
	return out
}

// backup is a copy of a folder that no life works on.
type backup struct{ dir string }

func copied(t testing.TB, dir string) backup {
	t.Helper()
	b := backup{t.TempDir()}
	if err := os.CopyFS(b.dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return b
}

// restore puts a copy in the place of a folder.
func (b backup) restore(t testing.TB, dir string) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(b.dir))); err != nil {
		t.Fatal(err)
	}
}

// notePutBack tells the topic what a folder that was put back, and is behind it, had published.
func notePutBack(t testing.TB, dir string, o *topic) {
	t.Helper()
	o.putBack[len(o.messages)] = publishedBy(t, dir)
}

// publishedBy are the lists that a folder has published, those in its outbox among them.
func publishedBy(t testing.TB, dir string) map[string]rerank.Lists {
	t.Helper()
	l, err := open(t, dir, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.topic = newTopic()
	lists := l.published()
	l.must(l.manager.Close())
	return lists
}

// TestRestoredFolders puts copies of the folder back at random moments of random histories, with promotions between them: in the
// end what the topic tells is what is served, bit for bit that of a state that had the records and the model from the
// start, and no number of a writer was given to two messages.
func TestRestoredFolders(t *testing.T) {
	t.Parallel()
	restored := 0
	var lock sync.Mutex
	t.Run("seeds", func(t *testing.T) {
		for seed := range uint64(5) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				n := restoredHistory(t, seed)
				lock.Lock()
				defer lock.Unlock()
				restored += n
			})
		}
	})
	if restored < 8 {
		t.Errorf("%d folders were found to be older than the topic: the histories are too short", restored)
	}
}

func restoredHistory(t *testing.T, seed uint64) (restored int) {
	rng := rand.New(rand.NewPCG(seed, 18))
	changes, live := history(100+seed, 160, 40)
	dir, o := t.TempDir(), newTopic()
	var backups []backup
	fed, epoch := 0, uint32(1)
	var putBack map[string]rerank.Lists // what a folder had published that was put back since the last life
	begin := func() *life {
		at := len(o.messages)
		l := start(t, dir, o)
		n := int(testutil.ToFloat64(l.manager.metrics.republications.WithLabelValues(reasonRestored)))
		if n > 0 && putBack != nil {
			o.lock.Lock()
			o.putBack[at] = putBack
			o.lock.Unlock()
		} // else the folder was not behind: what it had in its outbox is published as it was, counted from what was before that
		restored, putBack = restored+n, nil
		return l
	}
	for range 12 {
		l := begin()
		fed = min(fed+rng.IntN(16), len(changes))
		l.must(l.apply(changes, fed, 1+rng.IntN(8)))
		if rng.IntN(3) == 0 {
			epoch = 1 + rng.Uint32N(3)
			l.must(l.manager.Promote(epoch))
		}
		if rng.IntN(2) == 0 { // else the life ends with whatever is at work, and in the outbox
			l.must(l.await(func() bool { s := l.manager.Status(); return s.Next == nil && !s.Republishing }))
		}
		l.must(l.end())
		if rng.IntN(2) == 0 {
			backups = append(backups, copied(t, dir))
		}
		if len(backups) > 0 && rng.IntN(3) == 0 {
			backups[rng.IntN(len(backups))].restore(t, dir)
			putBack = publishedBy(t, dir)
		}
	}
	l := begin()
	l.must(l.apply(changes, len(changes), 8), l.manager.Promote(2), l.await(l.settled(2)))
	l.check()
	l.audit("in the end", live, fromTheStart(t, 2, live), 2)
	l.must(l.end())
	return restored
}

// TestRestoredFolderAtEveryCrash puts a folder back and crashes at every write of the life after that, and of the one after the
// crash: whatever fails, the end is that of a life that nothing disturbed.
func TestRestoredFolderAtEveryCrash(t *testing.T) {
	t.Parallel()
	changes, live := history(5, 48, 14)
	want := fromTheStart(t, 1, live)
	dir, topicThen := t.TempDir(), newTopic()
	l := start(t, dir, topicThen)
	l.must(l.apply(changes, 20, 4), l.await(l.settled(1)), l.apply(changes, 24, 4), l.end())
	b := copied(t, dir)
	l = start(t, dir, topicThen)
	l.must(l.apply(changes, 36, 4), l.await(l.settled(1)), l.end())
	b.restore(t, dir)
	notePutBack(t, dir, topicThen)
	for k := 1; ; k += crashStride(k) {
		again, o := t.TempDir(), topicThen.clone()
		if err := os.CopyFS(again, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if !crashRestored(t, again, o, k, changes, live, want) {
			if k < 20 {
				t.Errorf("only %d writes", k)
			}
			return
		}
		if t.Failed() {
			return
		}
	}
}

// crashStride takes every write until the state is another writer, and some of those after that; in a short run, as that under
// the race detector is (see .ci/run), some of all.
func crashStride(k int) int {
	if testing.Short() {
		return 5
	}
	if k < 12 {
		return 1
	}
	return 7
}

func crashRestored(t *testing.T, dir string, o *topic, k int, changes, live []change, want map[string]rerank.Lists) (crashed bool) {
	t.Helper()
	what := fmt.Sprintf("crash at write %d", k)
	before := len(o.messages)
	for _, at := range []int{k, 3, 0} { // the next life dies too, soon
		var lock sync.Mutex
		writes := 0
		l, err := open(t, dir, o, func(string) error {
			lock.Lock()
			defer lock.Unlock()
			if writes++; at > 0 && writes >= at {
				return errPlanned
			}
			return nil
		})
		if err == nil {
			l.run()
			err = l.apply(changes, len(changes), 4)
			if err == nil {
				err = l.await(l.settled(1))
			}
			if err == nil {
				l.audit(what, live, want, 1)
				l.check()
			}
			err = errors.Join(err, l.end())
		}
		switch {
		case err == nil && (at == 0 || at == k):
			if n := len(o.messages) - before; n < len(live) {
				t.Errorf("%s: %d messages since the folder was put back, for %d artifacts", what, n, len(live))
			}
			return at != k
		case err != nil && !errors.Is(err, errPlanned):
			t.Fatalf("%s: %v", what, err)
		}
		whole(t, dir, what)
	}
	return true
}

// TestRestoredFolderWithoutItsRecords puts a folder back whose later records nobody has any more: what was published of them is
// taken back.
func TestRestoredFolderWithoutItsRecords(t *testing.T) {
	t.Parallel()
	changes, _ := history(8, 60, 25)
	last := map[string]change{}
	for _, c := range changes[:24] {
		last[c.id] = c
	}
	var live []change
	for _, id := range slices.Sorted(maps.Keys(last)) {
		if last[id].fields != nil {
			live = append(live, last[id])
		}
	}
	dir, o := t.TempDir(), newTopic()
	l := start(t, dir, o)
	l.must(l.apply(changes, 24, 4), l.await(l.settled(1)), l.end())
	b := copied(t, dir)
	l = start(t, dir, o)
	l.must(l.apply(changes, len(changes), 4), l.await(l.settled(1)), l.end())
	b.restore(t, dir)
	notePutBack(t, dir, o)
	l = start(t, dir, o)
	l.must(l.await(l.settled(1)))
	l.check()
	l.audit("without its records", live, fromTheStart(t, 1, live), 1)
	l.must(l.end())
}

// TestTopicOfListsMadeAnew loses the topic, while no life works and within one: all lists are published again, each once, and the
// new topic tells what is served.
func TestTopicOfListsMadeAnew(t *testing.T) {
	t.Parallel()
	changes, live := history(6, 60, 20)
	want := fromTheStart(t, 1, live)
	dir, o := t.TempDir(), newTopic()
	l := start(t, dir, o)
	l.must(l.apply(changes, len(changes), 6), l.await(l.settled(1)))
	writer := o.log[0].writer
	published := l.published()
	lose := func() {
		o.lock.Lock()
		defer o.lock.Unlock()
		for n := range o.values {
			delete(o.values, n)
		}
		o.log, o.messages, o.putBack[0] = nil, nil, published
	}
	within := func(what string) {
		l.must(l.await(l.settled(1)))
		l.check()
		if len(o.messages) != len(live) || o.log[0].writer != writer {
			t.Errorf("%s: %d messages by %s, want each of the %d lists once by %s", what, len(o.messages), o.log[0].writer, len(live), writer)
		}
		first := o.log[0].seq
		o.lock.Lock()
		for i := range o.log { // audit wants numbers from 1
			o.log[i].seq -= first - 1
		}
		o.lock.Unlock()
		l.audit(what, live, want, 1)
		published = l.published()
	}
	l.must(l.end())
	lose()
	l = start(t, dir, o)
	within("while no life worked")
	lose()
	found, err := o.look(l.manager.serving.Load().store)
	l.must(err, l.manager.Republish(found))
	if !found.Lost {
		t.Error("the topic is as long as before")
	}
	within("within a life")
	l.must(l.end())
}

// TestNothingIsRepublishedWithoutNeed restarts a state that nobody put back.
func TestNothingIsRepublishedWithoutNeed(t *testing.T) {
	t.Parallel()
	changes, _ := history(7, 40, 12)
	dir, o := t.TempDir(), newTopic()
	for upto := 5; upto <= 40; upto += 5 {
		l := start(t, dir, o)
		l.must(l.apply(changes, upto, 3))
		if upto%2 == 0 {
			l.must(l.await(l.settled(1)))
		}
		for _, reason := range []string{reasonRestored, reasonTopic} {
			if n := testutil.ToFloat64(l.manager.metrics.republications.WithLabelValues(reason)); n > 0 {
				t.Errorf("after %d records: %v republications for %s", upto, n, reason)
			}
		}
		l.must(l.end())
	}
	if writers := slices.Compact(slices.Collect(func(yield func(string) bool) {
		for _, m := range o.log {
			if !yield(m.writer) {
				return
			}
		}
	})); len(writers) != 1 {
		t.Errorf("writers %v", writers)
	}
}
