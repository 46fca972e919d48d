package standby

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"kilim/daemon/themes/stored"
	"kilim/graphstore"
	"kilim/rerank"
)

const motifTopic = "kilim.similar.motif"

// themed gives an artifact a list of a theme, or takes it away, and tells.
func (l *life) themed(id string, has bool) {
	l.t.Helper()
	l.must(l.manager.Beside(context.Background(), func(tx *graphstore.Tx, revision uint64) error {
		node := graphstore.ID(graphstore.Artifact, id)
		m := rerank.OutMessage{Topic: motifTopic, ID: id, Revision: revision}
		var err error
		if has {
			m.Value = []byte("{}")
			row := stored.Row{ID: id, Lists: []stored.List{{Theme: "motif", Revision: revision}}}
			err = tx.PutThemeLists(node, row.Marshal())
		} else {
			err = tx.DeleteThemeLists(node)
		}
		_, again := tx.Enqueue(rerank.EncodeThemed(&m))
		return errors.Join(err, again)
	}))
}

// themedLists are the artifacts that the topic of a theme ends with a list of, and those that the state has one of.
func (l *life) themedLists() (told, has map[string]bool) {
	l.t.Helper()
	l.must(l.await(func() bool { return l.manager.Engine().Status().Outbox == 0 }))
	told, has = map[string]bool{}, map[string]bool{}
	for _, m := range l.topic.log {
		if m.Kind == rerank.KindThemed {
			if told[m.ID] = true; m.Value == nil {
				delete(told, m.ID)
			}
		}
	}
	l.must(l.manager.View(func(r *graphstore.Reader) error {
		return r.EachThemeLists(func(_ graphstore.NodeID, b []byte) error {
			var row stored.Row
			err := row.Unmarshal(b)
			has[row.ID] = true
			return err
		})
	}))
	return told, has
}

// TestThemeListsOutliveStates: lists of themes are written beside the units of whatever serves, are taken over by the next state, and of a folder that
// was put back the topics end with no list that it does not have.
func TestThemeListsOutliveStates(t *testing.T) {
	t.Parallel()
	changes, _ := history(5, 40, 14)
	dir, o := t.TempDir(), newTopic()
	l := start(t, dir, o)
	l.must(l.apply(changes, 20, 4), l.await(l.settled(1)))
	l.themed("a", true)
	l.themed("b", true)
	l.must(l.end())
	backup := copied(t, dir)

	l = start(t, dir, o)
	l.must(l.manager.Promote(2))
	for !l.settled(2)() {
		l.themed("d", true)
		l.themed("c", true)
		l.themed("d", false)
	}
	l.themed("b", false)
	want := map[string]bool{"a": true, "c": true}
	if told, has := l.themedLists(); !maps.Equal(told, want) || !maps.Equal(has, want) {
		t.Errorf("after a cutover %v are told and %v stored, want %v", told, has, want)
	}
	l.must(l.end())

	backup.restore(t, dir)
	notePutBack(t, dir, o)
	l = start(t, dir, o)
	l.must(l.await(l.settled(1)))
	told, has := l.themedLists()
	if want := map[string]bool{"a": true, "b": true}; !maps.Equal(has, want) {
		t.Errorf("the folder that was put back has %v, want %v", has, want)
	}
	if want := map[string]bool{"a": true}; !maps.Equal(told, want) { // b is told again by whoever keeps the lists, for it is lost
		t.Errorf("of the folder that was put back %v are told, want %v", told, want)
	}
	l.must(l.manager.View(func(r *graphstore.Reader) error {
		return r.EachThemeLists(func(_ graphstore.NodeID, b []byte) error {
			var row stored.Row
			err := row.Unmarshal(b)
			for _, list := range row.Lists {
				if lost := l.manager.Engine().Lost(); list.Revision > lost || !strings.HasSuffix(motifTopic, stored.Topic("", list.Theme)) {
					t.Errorf("%q: its list is of revision %d, what is lost is up to %d", row.ID, list.Revision, lost)
				}
			}
			return err
		})
	}))
	l.must(l.end())
}

// cell stores and tells a cell of a map, or takes it away.
func (l *life) cell(key string, has bool) {
	l.t.Helper()
	l.must(l.manager.Beside(context.Background(), func(tx *graphstore.Tx, revision uint64) error {
		var value []byte
		err := tx.DeleteCell(key)
		if has {
			value = []byte("{}")
			err = tx.PutCell(key, value)
		}
		_, again := tx.Enqueue(rerank.EncodeCell(key, revision, value))
		return errors.Join(err, again)
	}))
}

// cells are those that their topic ends with, and those that the state has.
func (l *life) cells() (told, has map[string]bool) {
	l.t.Helper()
	l.must(l.await(func() bool { return l.manager.Engine().Status().Outbox == 0 }))
	told, has = map[string]bool{}, map[string]bool{}
	for _, m := range l.topic.log {
		if m.Kind == rerank.KindCell {
			if told[m.ID] = true; m.Value == nil {
				delete(told, m.ID)
			}
		}
	}
	l.must(l.manager.View(func(r *graphstore.Reader) error {
		return r.EachCell(func(key string, _ []byte) error {
			has[key] = true
			return nil
		})
	}))
	return told, has
}

// TestCellsOutliveStates: cells of maps are taken over by the next state, and of a folder that was put back the topic ends with no cell that it does not have.
func TestCellsOutliveStates(t *testing.T) {
	t.Parallel()
	changes, _ := history(5, 40, 14)
	dir, o := t.TempDir(), newTopic()
	l := start(t, dir, o)
	l.must(l.apply(changes, 20, 4), l.await(l.settled(1)))
	l.cell("a", true)
	l.cell("b", true)
	l.must(l.end())
	backup := copied(t, dir)

	l = start(t, dir, o)
	l.must(l.manager.Promote(2))
	for !l.settled(2)() {
		l.cell("c", true)
		l.cell("d", true)
		l.cell("d", false)
	}
	l.cell("b", false)
	want := map[string]bool{"a": true, "c": true}
	if told, has := l.cells(); !maps.Equal(told, want) || !maps.Equal(has, want) {
		t.Errorf("after a cutover %v are told and %v stored, want %v", told, has, want)
	}
	l.must(l.end())

	backup.restore(t, dir)
	notePutBack(t, dir, o)
	l = start(t, dir, o)
	l.must(l.await(l.settled(1)))
	told, has := l.cells()
	if want := map[string]bool{"a": true, "b": true}; !maps.Equal(has, want) {
		t.Errorf("the folder that was put back has %v, want %v", has, want)
	}
	if want := map[string]bool{"a": true}; !maps.Equal(told, want) { // b is told again by whoever keeps the cells, for it is lost
		t.Errorf("of the folder that was put back %v are told, want %v", told, want)
	}
	l.must(l.end())
}
