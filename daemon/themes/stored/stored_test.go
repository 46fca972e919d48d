package stored

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kilim/learner/theme"
	"kilim/rerank"
)

// TestHistories: after any history of records, deletions, models, failures, crashes and topics that can't be made, when nothing is due, the lists that are stored are those of
// everyone compared with everyone, and the topics end with them and nothing else.
func TestHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			cfg := Config{Size: 2, Themes: 2}
			if seed == 3 {
				cfg.Tolerance = 0.01
			}
			w := newWorld(t, seed, cfg)
			for i := range 30 {
				w.put(fmt.Sprintf("a:%d", i))
			}
			for range 50 {
				id := fmt.Sprintf("a:%d", w.rng.IntN(45))
				switch w.rng.IntN(13) {
				case 12:
					some := slices.Clone(themes)
					w.rng.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
					w.mute(some[:w.rng.IntN(3)]...)
				case 0:
					w.fit(themes[:w.rng.IntN(3)]...)
				case 1, 2:
					w.crash()
				case 3:
					w.step(true)
				case 4:
					w.remove(id)
				case 5, 6:
					w.step(false)
				default:
					w.put(id)
				}
			}
			w.fit()
			w.settle()
			w.verify()
			w.mute()
			w.settle()
			if lists := w.verify(); lists < 20 {
				t.Errorf("%d lists", lists)
			}
			for i := range 16 { // by one model, so that lists lose more than they have beside what is told
				if id := fmt.Sprintf("a:%d", w.rng.IntN(45)); i%2 == 0 {
					w.remove(id)
				} else {
					w.put(id)
				}
				w.settle()
				w.verify()
			}
			w.fit(themes...)
			w.settle()
			if lists := w.verify(); lists != 0 || len(w.rows) != 0 {
				t.Errorf("without a theme there are %d lists and %d rows", lists, len(w.rows))
			}
		})
	}
}

// TestNothingIsToldTwice: what has not changed is not told, after a crash, and by a model that is fitted to the same; what is lost is told again, and what another model says.
func TestNothingIsToldTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Config{Size: 4, Themes: 2})
	for i := range 30 {
		w.put(fmt.Sprintf("a:%d", i))
	}
	w.fit()
	w.settle()
	lists := w.verify()
	if w.told != lists {
		t.Errorf("%d messages of %d lists: each is complete at once", w.told, lists)
	}
	w.crash()
	w.fit()
	w.waiting["a:2"] = struct{}{} // a record that says the same
	w.settle()
	if w.told != lists {
		t.Errorf("%d messages though nothing changed, want %d", w.told, lists)
	}
	w.lists.Lost(w.revision)
	w.settle()
	if w.told != 2*lists {
		t.Errorf("%d messages after all were lost, want %d", w.told, 2*lists)
	}
	w.verify()
	w.model.ID = "another that says the same"
	w.lists.Align(w.model)
	w.settle()
	if w.told != 3*lists {
		t.Errorf("%d messages after another model, want %d", w.told, 3*lists)
	}
	w.verify() // each list names it
}

// TestMutedThemes: while nothing can be told of a theme, its lists are as they were told, and the others go on; afterwards nothing is told of these again, and
// of the theme what changed meanwhile.
func TestMutedThemes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6, Config{Size: 3, Themes: 2})
	for i := range 40 {
		w.put(fmt.Sprintf("a:%d", i))
	}
	w.fit()
	w.settle()
	muted := Topic(similar, themes[0])
	before, others := maps.Clone(w.topics[muted]), w.told
	w.mute(themes[0])
	w.settle()
	if w.verify(); w.told != others {
		t.Errorf("%d messages because a theme is muted", w.told-others)
	}
	for i := range 5 {
		w.remove(fmt.Sprintf("a:%d", i))
		w.put(fmt.Sprintf("b:%d", i))
	}
	w.settle()
	w.verify()
	if w.told == others || !reflect.DeepEqual(w.topics[muted], before) || len(before) == 0 {
		t.Errorf("%d messages of the others; the muted topic had %d lists, and now %d", w.told-others, len(before), len(w.topics[muted]))
	}
	w.crash()
	others = w.told
	w.mute()
	w.settle()
	w.verify()
	concerned := maps.Clone(before) // those that lost their list of the theme meanwhile, and those that have one
	maps.Copy(concerned, w.topics[muted])
	if w.told == others || w.told-others > len(concerned) {
		t.Errorf("%d messages afterwards, and the topic had %d lists, and now %d: of %d artifacts", w.told-others, len(before), len(w.topics[muted]), len(concerned))
	}
}

// TestNewcomersTellOthers: an artifact that comes is told into the lists of those that are there, with itself as a cause.
func TestNewcomersTellOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4, Config{Size: 4, Themes: 2})
	for i := range 30 {
		w.put(fmt.Sprintf("a:%d", i))
	}
	w.fit()
	w.settle()
	before := w.told
	newcomers := []string{"b:0", "b:1", "b:2", "b:3"}
	for _, id := range newcomers {
		w.put(id)
	}
	w.settle()
	w.verify()
	others := 0
	for topic, keys := range w.topics {
		for id, m := range keys {
			for name, c := range m.Changes {
				for _, entered := range c.Entered {
					if !strings.HasPrefix(entered, "b:") || strings.HasPrefix(id, "b:") {
						continue
					}
					if others++; !slices.Contains(m.Cause, entered) {
						t.Errorf("%s: %s of %q has %q because of %v", topic, name, id, entered, m.Cause)
					}
				}
			}
		}
	}
	if others == 0 || w.told-before < others {
		t.Errorf("%d were told of newcomers in %d messages", others, w.told-before)
	}
}

// TestRows: what Marshal writes is read again, and no other bytes do harm.
func TestRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2, Config{Size: 3, Themes: 2})
	for i := range 12 {
		w.put(fmt.Sprintf("a:%d", i))
	}
	w.fit()
	w.settle()
	rng := rand.New(rand.NewPCG(1, 1))
	for _, b := range w.rows {
		var r, again Row
		if err := r.Unmarshal(b); err != nil {
			t.Fatal(err)
		}
		if err := again.Unmarshal(r.Marshal()); err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("%v: %+v, was %+v", err, again, r)
		}
		for n := range len(b) {
			if err := new(Row).Unmarshal(b[:n]); err == nil {
				t.Fatalf("%d of %d bytes are a row", n, len(b))
			}
		}
		for range 200 {
			damaged := slices.Clone(b)
			damaged[rng.IntN(len(damaged))] = byte(rng.IntN(256))
			_ = new(Row).Unmarshal(damaged) // may be a row: it must end
		}
	}
}

// TestMessage: what is told is, to the letter, what rerank/publish holds to be as described.
func TestMessage(t *testing.T) {
	t.Parallel()
	was := &List{Theme: "motif", Entries: []Entry{{ID: "c"}}}
	now := &List{Theme: "motif", Model: "m1", Revision: 7, Entries: []Entry{{"b", theme.Parts{Terms: 0.5, Neighbours: 0.25}}}}
	c := causes{"b": {ID: "b", Recorded: time.UnixMilli(5).UTC(), TraceParent: "trace"}, "d": {ID: "d", Recorded: time.UnixMilli(9).UTC()}}
	b, cause, err := c.updated(&Config{Size: 4, Similar: similar}, "a", was, now)
	if err != nil {
		t.Fatal(err)
	}
	m, err := rerank.Decode(b)
	if err != nil || !slices.Equal(cause, []string{"b"}) {
		t.Fatal(cause, err)
	}
	const themed = `{"id":"a","revision":7,"model":"m1","lists":{"theme:motif":[{"id":"b","score":0.75,"parts":{"terms":0.5,"neighbours":0.25,"profile":0,"words":0}}]},` +
		`"changes":{"theme:motif":{"entered":["b"],"left":["c"],"moved":[]}},"cause":["b"]}`
	want := rerank.OutMessage{Kind: rerank.KindThemed, Topic: "kilim.similar.motif", ID: "a", Revision: 7, Recorded: time.UnixMilli(5).UTC(), TraceParent: "trace", Value: []byte(themed)}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("%+v %s\nwant %+v", m, m.Value, want)
	}
}

// TestCheckFindsDamage: sound rows have no fault, a deletion that nobody has followed yet is none, and each kind of damage is told.
func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2, Config{Size: 3, Themes: 2})
	for i := range 12 {
		w.put(fmt.Sprintf("a:%d", i))
	}
	w.fit()
	w.settle()
	check := func(rows ...[]byte) (faults []string, waiting int) {
		t.Helper()
		c := Checker{Revision: w.revision, Fault: func(f string) { faults = append(faults, f) }, Exists: func(id string) (bool, error) {
			_, ok := w.works[id]
			return ok, nil
		}}
		for _, row := range rows {
			if err := c.Row(row); err != nil {
				t.Fatal(err)
			}
		}
		return faults, c.Waiting
	}
	all := slices.Collect(maps.Values(w.rows))
	if faults, waiting := check(all...); len(faults) > 0 || waiting > 0 {
		t.Errorf("of sound rows: %v, %d wait", faults, waiting)
	}
	for want, damage := range map[string]func(*Row){
		"out of order":        func(r *Row) { slices.Reverse(r.Lists[0].Entries) },
		"the artifact itself": func(r *Row) { r.Lists[0].Entries[0].ID = r.ID },
		"is of revision":      func(r *Row) { r.Lists[0].Revision = w.revision + 1 },
	} {
		var r Row
		if err := r.Unmarshal(w.rows["a:1"]); err != nil {
			t.Fatal(err)
		}
		damage(&r)
		if faults, _ := check(r.Marshal()); len(faults) == 0 || !strings.Contains(faults[0], want) {
			t.Errorf("%s: told is %v", want, faults)
		}
	}
	if faults, _ := check([]byte{9, 9}); len(faults) != 1 {
		t.Errorf("of what is no row %v is told", faults)
	}
	delete(w.works, "a:1")
	if faults, waiting := check(all...); len(faults) > 0 || waiting < 2 {
		t.Errorf("after a deletion: %v, %d wait", faults, waiting)
	}
}

// TestTopics: each theme has a topic of its own, by a name that Kafka takes.
func TestTopics(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"motif": "motif", "music-2": "music-2", "Motif": "motif-", "Jagd & Krieg": "jagd-krieg-", "мотив": "", "-motif": "motif-", "a--b": "a-b-"} {
		got, _ := strings.CutPrefix(Topic("s", name), "s.")
		if got != want && !(strings.HasPrefix(got, want) && len(got) == len(want)+8) {
			t.Errorf("%q: %q", name, got)
		}
	}
	seen := map[string]string{}
	rng := rand.New(rand.NewPCG(7, 7))
	letters := []rune("ab-A_ .éß0")
	for range 4_000 {
		var name strings.Builder
		for range 1 + rng.IntN(6) {
			name.WriteRune(letters[rng.IntN(len(letters))])
		}
		topic := Topic("s", name.String())
		if was, ok := seen[topic]; ok && was != name.String() {
			t.Fatalf("%q and %q have one topic, %q", was, name.String(), topic)
		}
		seen[topic] = name.String()
		taken := strings.TrimPrefix(topic, "s.")
		if other := Topic("s", taken); taken != name.String() && other == topic {
			t.Fatalf("%q has the topic of %q", taken, name.String())
		}
		if strings.ContainsFunc(taken, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }) || taken == "" {
			t.Fatalf("%q: %q", name.String(), topic)
		}
	}
	if long := Topic("s", strings.Repeat("x", 1024)); len(long) > 100 {
		t.Errorf("%q", long)
	}
}
