package themes

import (
	"errors"
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
	ahead := 0 // messages before the model serves
	w.archive.during = func() {
		if k.Status().Phase == Profiling && k.early.Load() != nil {
			ahead = store.enqueued - messages
		}
	}
	if got := w.round(); got != fitted {
		t.Fatalf("ended as %q", got)
	}
	w.archive.during = nil
	check("declared")
	own := 0
	for key := range store.current() {
		if strings.HasPrefix(key, k.topic(ideas)+" ") {
			own++
		}
	}
	if own < 20 || ahead < 20 || store.enqueued != messages+ahead+own {
		t.Errorf("%d lists of it are told, and %d messages, %d of them ahead", own, store.enqueued-messages, ahead)
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

// TestFirstListsAreToldAhead: the first lists of a theme are told before the profiles of all are made, as they are answered then. They stay while that fails, whatever
// else happens to their artifacts; go when the theme is not learned after all; and end as those of a Keeper that saw the end alone, also when the daemon starts again in between.
func TestFirstListsAreToldAhead(t *testing.T) {
	t.Parallel()
	const fresh = "craft"
	for _, ends := range []string{"learned", "not learned", "started again"} {
		t.Run(ends, func(t *testing.T) {
			t.Parallel()
			cfg, store := keepingLists()
			cfg.Least, cfg.Declared = 1000, []Declaration{{Name: motif}}
			w := newWorld(t, cfg)
			w.fill(1, 60, 60)
			w.round()
			before := store.current()
			k := w.keeper
			plain := maps.Clone(w.records)
			label := func() {
				for _, r := range plain {
					if len(r.Theme[motif]) > 0 {
						r.Theme = maps.Clone(r.Theme)
						r.Theme[fresh] = []string{r.Technique[0]}
						w.apply(r)
					}
				}
			}
			label()
			w.renew()
			if err := k.Declare(Declaration{Name: fresh}); err != nil {
				t.Fatal(err)
			}
			var early *serving
			w.archive.during = func() {
				if k.Status().Phase == Profiling && len(k.lists.ahead) > 0 {
					early = k.early.Load()
					w.archive.fail = errors.New("the disk is full")
				}
			}
			k.round(t.Context(), &w.last)
			w.archive.during, w.archive.fail = nil, nil
			of := func() map[string]string {
				out := store.current()
				maps.DeleteFunc(out, func(key, _ string) bool { return !strings.HasPrefix(key, k.topic(fresh)+" ") })
				return out
			}
			told := of()
			if !w.last.failed || len(told) < 10 || len(told) > mostEarly {
				t.Fatalf("failed: %v, %d lists are told", w.last.failed, len(told))
			}
			for key, value := range told {
				id := strings.TrimPrefix(key, k.topic(fresh)+" ")
				a, err := k.compare(t.Context(), early, w.records[id].artifact(t), fresh, 1)
				if err != nil || len(a.Items) != 1 || !strings.Contains(value, `"id":"`+a.Items[0].ID+`"`) || !strings.Contains(value, early.made.IDOf(fresh)) {
					t.Errorf("%v: %s is told, and %+v answered", err, value, a)
				}
			}
			for key := range told { // a record of one of them comes, and one goes
				w.apply(w.records[strings.TrimPrefix(key, k.topic(fresh)+" ")])
				break
			}
			if ends != "not learned" {
				w.remove("a:2")
			}
			w.renew()
			if got := of(); !maps.Equal(got, told) {
				t.Errorf("what was told ahead has changed: %d lists, %d before", len(got), len(told))
			}
			switch ends {
			case "learned":
				w.round()
			case "not learned":
				w.apply(slices.Collect(maps.Values(plain))...)
				if got := w.round(); got != unchanged {
					t.Errorf("ended as %q", got)
				}
			case "started again":
				w.open()
				if err := w.keeper.Restore(t.Context()); err != nil {
					t.Fatal(err)
				}
				w.round()
			}
			switch {
			case ends == "not learned":
				if !maps.Equal(store.current(), before) {
					t.Errorf("%d lists are told of what is no theme, or those of the theme that there was are others", len(of()))
				}
			default:
				dullCfg, dull := keepingLists()
				dullCfg.Least, dullCfg.Declared = cfg.Least, cfg.Declared
				end := newWorld(t, dullCfg)
				end.keeper.declared.added = []Declaration{{Name: fresh, Apart: true}}
				end.apply(slices.Collect(maps.Values(w.records))...)
				end.round()
				strip := func(of map[string]string) map[string]string {
					out := map[string]string{}
					for key, value := range of {
						_, out[key], _ = strings.Cut(value, `"model"`)
						out[key], _, _ = strings.Cut(out[key], `"changes"`)
					}
					return out
				}
				if got, want := strip(store.current()), strip(dull.current()); !maps.Equal(got, want) {
					t.Errorf("%d lists are told, %d by a Keeper that saw the end alone, and they differ", len(got), len(want))
				}
			}
		})
	}
}
