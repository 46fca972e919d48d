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
	told, has = l.endsWith(rerank.KindThemed), map[string]bool{}
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

// endsWith are the keys of a kind that have a value last.
func (l *life) endsWith(kind rerank.Kind) map[string]bool {
	told := map[string]bool{}
	for _, m := range l.topic.log {
		if m.Kind == kind {
			if told[m.ID] = true; m.Value == nil && m.Update == nil {
				delete(told, m.ID)
			}
		}
	}
	return told
}

// beside is a kind of rows that are written, and told, beside the units of whatever serves: put writes one or takes it away, and read gives those that the
// topic ends with and those that the state has.
type beside struct {
	put  func(l *life, id string, has bool)
	read func(l *life) (told, has map[string]bool)
}

// outlivesStates: rows are taken over by the next state, and of a folder that was put back the topic ends with none that it does not have. The life
// that it returns is of that folder.
func (b beside) outlivesStates(t *testing.T) *life {
	t.Helper()
	changes, _ := history(5, 40, 14)
	dir, o := t.TempDir(), newTopic()
	l := start(t, dir, o)
	l.must(l.apply(changes, 20, 4), l.await(l.settled(1)))
	b.put(l, "a", true)
	b.put(l, "b", true)
	l.must(l.end())
	backup := copied(t, dir)

	l = start(t, dir, o)
	l.must(l.manager.Promote(2))
	for !l.settled(2)() {
		b.put(l, "d", true)
		b.put(l, "c", true)
		b.put(l, "d", false)
	}
	b.put(l, "b", false)
	want := map[string]bool{"a": true, "c": true}
	if told, has := b.read(l); !maps.Equal(told, want) || !maps.Equal(has, want) {
		t.Errorf("after a cutover %v are told and %v stored, want %v", told, has, want)
	}
	l.must(l.end())

	backup.restore(t, dir)
	notePutBack(t, dir, o)
	l = start(t, dir, o)
	l.must(l.await(l.settled(1)))
	told, has := b.read(l)
	if want := map[string]bool{"a": true, "b": true}; !maps.Equal(has, want) {
		t.Errorf("the folder that was put back has %v, want %v", has, want)
	}
	if want := map[string]bool{"a": true}; !maps.Equal(told, want) { // b is told again by whoever keeps such rows, for it is lost
		t.Errorf("of the folder that was put back %v are told, want %v", told, want)
	}
	return l
}

// TestThemeListsOutliveStates holds lists of themes to outlivesStates, and those of the folder that was put back to be lost.
func TestThemeListsOutliveStates(t *testing.T) {
	t.Parallel()
	l := beside{(*life).themed, (*life).themedLists}.outlivesStates(t)
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
	told, has = l.endsWith(rerank.KindCell), map[string]bool{}
	l.must(l.manager.View(func(r *graphstore.Reader) error {
		return r.EachCell(func(key string, _ []byte) error {
			has[key] = true
			return nil
		})
	}))
	return told, has
}

// TestCellsOutliveStates holds cells of maps to outlivesStates.
func TestCellsOutliveStates(t *testing.T) {
	t.Parallel()
	l := beside{(*life).cell, (*life).cells}.outlivesStates(t)
	l.must(l.end())
}

// query stores and tells what a standing query is told, or takes it away.
func (l *life) query(name string, has bool) {
	l.t.Helper()
	l.must(l.manager.Beside(context.Background(), func(tx *graphstore.Tx, revision uint64) error {
		message, err := rerank.EncodeQueryGone(name, revision), tx.DeleteStanding(name)
		if has {
			message, err = rerank.EncodeQuery(&rerank.Update{ID: name, Revision: revision}), tx.PutStanding(name, []byte("{}"))
		}
		_, again := tx.Enqueue(message)
		return errors.Join(err, again)
	}))
}

// queries are those that their topic ends with, and those that the state has.
func (l *life) queries() (told, has map[string]bool) {
	l.t.Helper()
	l.must(l.await(func() bool { return l.manager.Engine().Status().Outbox == 0 }))
	told, has = l.endsWith(rerank.KindQuery), map[string]bool{}
	l.must(l.manager.View(func(r *graphstore.Reader) error {
		return r.EachStanding(func(name string, _ []byte) error {
			has[name] = true
			return nil
		})
	}))
	return told, has
}

// TestStandingQueriesOutliveStates holds the rows of standing queries to outlivesStates.
func TestStandingQueriesOutliveStates(t *testing.T) {
	t.Parallel()
	l := beside{(*life).query, (*life).queries}.outlivesStates(t)
	l.must(l.end())
}
