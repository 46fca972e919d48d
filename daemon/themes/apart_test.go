package themes

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestOthersStayWhenOneIsDeclared: a theme that is declared while others are served changes no list, score or name of a model of these, and nothing of them is told;
// also after a start, and when it is declared again. It has lists of its own.
func TestOthersStayWhenOneIsDeclared(t *testing.T) {
	t.Parallel()
	cfg, store := keepingLists()
	cfg.Least, cfg.Declared = 1000, []Declaration{{Name: motif}}
	w := newWorld(t, cfg)
	w.fill(1, 90, 70)
	w.round()
	k := w.keeper
	// others are the lists that are told and answered of all other themes.
	others := func() (told map[string]string, answers map[string]*Answer) {
		told = store.current()
		maps.DeleteFunc(told, func(key, _ string) bool { return strings.HasPrefix(key, k.topic(ideas)+" ") })
		return told, w.lists(6)
	}
	told, answers := others()
	if len(told) < 20 || len(answers) != 90 {
		t.Fatalf("%d lists are told, %d answered", len(told), len(answers))
	}
	made := k.serving.Load().made
	messages := store.enqueued
	check := func(when string) {
		t.Helper()
		nowTold, now := others()
		if !maps.Equal(nowTold, told) {
			t.Errorf("%s other lists are told of the themes that there were", when)
		}
		for key, was := range answers {
			if !slices.EqualFunc(now[key].Items, was.Items, func(a, b Item) bool { return a.ID == b.ID && a.Score == b.Score && a.Parts == b.Parts }) || now[key].Presence != was.Presence {
				t.Errorf("%s %s is %+v, it was %+v", when, key, now[key], was)
			}
		}
		if id := k.serving.Load().made; id.IDOf(motif) != made.ID() || made.IDOf(motif) != made.ID() {
			t.Errorf("%s the lists are of %s, they were of %s", when, id.IDOf(motif), made.ID())
		}
		if due := k.Status().Due; due != 0 {
			t.Errorf("%s %d lists are due", when, due)
		}
	}
	if err := k.Declare(Declaration{Name: ideas}); err != nil {
		t.Fatal(err)
	}
	if got := w.round(); got != fitted {
		t.Fatalf("ended as %q", got)
	}
	check("declared")
	own := 0
	for key := range store.current() {
		if strings.HasPrefix(key, k.topic(ideas)+" ") {
			own++
		}
	}
	if own < 20 || store.enqueued != messages+own {
		t.Errorf("%d lists of it are told, and %d messages", own, store.enqueued-messages)
	}
	if a, err := k.Similar(t.Context(), "a:1", ideas, 5); err != nil || a.Made.IDOf(ideas) == made.ID() {
		t.Errorf("%v: it answers as %+v", err, a)
	}
	w.open()
	k = w.keeper
	if err := k.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.renew()
	check("after a start")
	if err := k.Declare(Declaration{Name: ideas}); err != nil {
		t.Fatal(err)
	}
	if got := w.round(); got != unchanged {
		t.Errorf("declared again it ended as %q", got)
	}
	check("declared again")
}
