package standby

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kilim/daemon/pipeline"
	"kilim/graphstore"
	"kilim/learner/encode/feature"
	"kilim/learner/train/registry"
)

// wreck makes rows say what does not follow from the documents.
func wreck(l *life, id string) error {
	tx := l.manager.serving.Load().store.Begin()
	defer tx.Discard()
	n, err := tx.Edit(graphstore.ID(graphstore.Artifact, id))
	if err != nil {
		return err
	}
	n.Degree += 3
	n.Embedding = slices.Clone(n.Embedding)
	n.Embedding[0] += 0.1
	n.Sum1 = append(slices.Clone(n.Sum1), 7)
	if err := errors.Join(tx.PutLists(n.ID, []byte("no lists")), tx.AddTerms(slices.Values([]uint32{3}), 5)); err != nil {
		return err
	}
	return tx.Commit()
}

func faults(m *Manager) (faults []string, err error) {
	err = m.Engine().Check(func(f string) { faults = append(faults, f) })
	return faults, err
}

// TestRebuildAtEveryWrite wrecks a state and makes it anew, with a crash at every write in turn. The next attempt goes on; in the
// end the state is sound, its lists are those of a state that was never wrecked, and it publishes them.
func TestRebuildAtEveryWrite(t *testing.T) {
	t.Parallel()
	changes, live := history(6, 40, 12)
	want := fromTheStart(t, 1, live)
	wrecked := t.TempDir()
	l, err := open(t, wrecked, newTopic(), nil)
	if err != nil {
		t.Fatal(err)
	}
	l.run()
	if err := errors.Join(l.apply(changes, len(changes), 8), l.await(l.settled(1))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(wreck(l, live[0].id), wreck(l, live[1].id), l.end()); err != nil {
		t.Fatal(err)
	}
	for k, crashed := 1, true; crashed; k += stride() {
		crashed = rebuildWithCrash(t, wrecked, k, live)
		if t.Failed() {
			return
		}
		if !crashed && k < 20 {
			t.Errorf("only %d writes", k)
		}
	}
	l, err = asMadeFrom(t, wrecked, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.manager.Rebuild(t.Context()), l.manager.Close()); err != nil {
		t.Fatal(err)
	}
	if l, err = open(t, wrecked, newTopic(), nil); err != nil {
		t.Fatal(err)
	}
	l.run()
	if err := l.await(l.settled(1)); err != nil {
		t.Fatal(err)
	}
	for id, lists := range l.lists(live) {
		if !sameLists(lists, want[id]) {
			t.Errorf("lists of %q are %+v, want %+v", id, lists, want[id])
		}
	}
	l.topic.lock.Lock()
	if len(l.topic.messages) != len(live) {
		t.Errorf("%d lists are published, want all %d", len(l.topic.messages), len(live))
	}
	l.topic.lock.Unlock()
	if err := l.end(); err != nil {
		t.Error(err)
	}
}

// asMadeFrom opens a state as kilim check --repair does.
func asMadeFrom(t *testing.T, dir string, before func(string) error) (*life, error) {
	models, err := registry.Open(filepath.Join(dir, "models"), registry.Model{Seed: 1}, before)
	if err != nil {
		return nil, err
	}
	return openWith(t, dir, newTopic(), models, before, func(c *Config) {
		configured := c.Pipeline
		c.Pipeline = func(m registry.Model, made map[string]feature.Identity) (pipeline.Config, error) {
			p, err := configured(m, made)
			p.AsMade = true
			return p, err
		}
	})
}

func rebuildWithCrash(t *testing.T, wrecked string, k int, live []change) (crashed bool) {
	t.Helper()
	dir := t.TempDir()
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, os.DirFS(wrecked)); err != nil {
		t.Fatal(err)
	}
	writes := 0
	before := func(string) error {
		if writes++; writes >= k {
			return errPlanned
		}
		return nil
	}
	what := fmt.Sprintf("crash at write %d", k)
	for {
		l, err := asMadeFrom(t, dir, before)
		if err == nil {
			if found, err := faults(l.manager); err != nil || len(found) == 0 && !crashed {
				t.Errorf("%s: %d faults before the repair, %v", what, len(found), err)
			}
			err = l.manager.Rebuild(t.Context())
			if err == nil {
				found, err := faults(l.manager)
				if err != nil || len(found) > 0 {
					t.Errorf("%s: after the repair: %q, %v", what, found, err)
				}
				if n := l.manager.Engine().Status().Artifacts; n != len(live) {
					t.Errorf("%s: %d artifacts, want %d", what, n, len(live))
				}
			}
			err = errors.Join(err, l.manager.Close())
		}
		if err == nil {
			return crashed
		}
		if !errors.Is(err, errPlanned) || crashed {
			t.Fatalf("%s: %v", what, err)
		}
		crashed, before = true, nil
	}
}
