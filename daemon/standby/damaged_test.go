package standby

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kilim/graphstore"
	"kilim/rerank"
)

// TestPromoteOverADamagedDocument flips a bit of a document and promotes another model: the state is made without that artifact, the topic
// ends with its tombstone, and all others have the lists of a state without it. Its next record brings it back.
func TestPromoteOverADamagedDocument(t *testing.T) {
	t.Parallel()
	var live []change
	for i, word := range []string{"lozenge", "star", "hook", "comb", "bird", "ram"} {
		live = append(live, change{word, map[string]any{"title": word, "description": strings.Repeat(word+" rug ", 12_000+i), "culture": []string{"Ottoman"}}})
	}
	dir, o := t.TempDir(), newTopic()
	l := start(t, dir, o)
	l.must(l.apply(live, len(live), 2), l.await(l.settled(1)))
	flip(t, filepath.Join(dir, "graph"), "star rug star rug")
	fault := func() (err error) {
		return l.manager.View(func(r *graphstore.Reader) error { _, err := r.Artifact("star"); return err })
	}
	if fault() == nil {
		t.Fatal("the document is read as before")
	}
	l.must(l.manager.Promote(2), l.await(l.settled(2)))
	l.check()
	others := append([]change{live[0]}, live[2:]...)
	if n := l.manager.Engine().Status().Artifacts; n != len(others) {
		t.Errorf("%d artifacts, want %d", n, len(others))
	}
	want := fromTheStart(t, 2, others)
	for id, lists := range l.lists(others) {
		if !sameLists(lists, want[id]) {
			t.Errorf("lists of %q are %+v, want %+v", id, lists, want[id])
		}
	}
	o.lock.Lock()
	last := map[string]rerank.OutMessage{}
	for _, m := range o.messages {
		if m.Revision <= last[m.ID].Revision {
			t.Errorf("revision %d of %q after %d", m.Revision, m.ID, last[m.ID].Revision)
		}
		last[m.ID] = m
	}
	o.lock.Unlock()
	if m := last["star"]; m.Kind != rerank.KindTombstone {
		t.Errorf("the topic ends with %+v", m)
	}

	again := append(live, live[1])
	l.must(l.apply(again, len(again), 1), l.await(l.settled(2)))
	l.check()
	l.must(fault())
	want = fromTheStart(t, 2, live)
	for id, lists := range l.lists(live) {
		if !sameLists(lists, want[id]) {
			t.Errorf("after its next record lists of %q are %+v, want %+v", id, lists, want[id])
		}
	}
	l.must(l.end())
}

// flip changes a letter of a document in the value log of an open store.
func flip(t *testing.T, dir, text string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		all, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(all, []byte(text))
		if at < 0 {
			continue
		}
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("r"), int64(at)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("the document is not in the value log")
}
