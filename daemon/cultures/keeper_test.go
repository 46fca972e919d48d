package cultures

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/pipeline/atlas"
)

// world is an Archive whose answers change at random, and a Store that may fail.
type world struct {
	*testing.T
	rng     *rand.Rand
	themes  []string
	known   bool
	answers map[[2]string]*atlas.Answer
	changed int
	at      time.Time

	rows      map[string][]byte
	topic     map[string][]byte // what it ends with
	told      int
	lost      uint64
	revision  uint64
	fail      error
	committed []int
	discarded bool

	keeper *Keeper
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{T: t, rng: rand.New(rand.NewPCG(seed, 3)), themes: []string{"motif", "a|b"}, known: true, answers: map[[2]string]*atlas.Answer{},
		at: time.Unix(1e9, 0), rows: map[string][]byte{}, topic: map[string][]byte{}}
	w.open()
	return w
}

func (w *world) open() {
	w.Helper()
	k, err := Open(0, w, w, NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	if err != nil {
		w.Fatal(err)
	}
	k.now = func() time.Time { return w.at }
	w.keeper = k
}

func (w *world) Version() any                 { return w.changed }
func (w *world) Quiet() bool                  { return true }
func (w *world) Themes() ([]string, bool)     { return w.themes, w.known }
func (w *world) Lost() uint64                 { return w.lost }
func (w *world) Revision() uint64             { return w.revision }
func (w *world) Delete(key string) error      { delete(w.rows, key); return nil }
func (w *world) Put(k string, b []byte) error { w.rows[k] = b; return nil }

func (w *world) Rows(fn func(string, []byte) error) error {
	for key, b := range w.rows {
		if err := fn(key, b); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) Commit(_ context.Context, write func(Writer) error) error {
	if w.rng.IntN(8) == 0 { // of a state that another one has taken the place of
		discarded := &world{T: w.T, rows: map[string][]byte{}, topic: map[string][]byte{}, revision: 999, discarded: true}
		if err := write(discarded); err != nil {
			return err
		}
	}
	if w.fail != nil && w.rng.IntN(2) == 0 {
		return w.fail
	}
	w.revision++
	before := w.told
	err := write(w)
	w.committed = append(w.committed, w.told-before)
	return err
}

func (w *world) Tell(key string, value []byte) error {
	if _, there := w.topic[key]; value == nil && !there && !w.discarded {
		w.Errorf("a tombstone of %q, which was not there", key)
	}
	w.told++
	if w.topic[key] = value; value == nil {
		delete(w.topic, key)
	}
	return nil
}

func (w *world) Read(q atlas.Question) (*atlas.Answer, error) {
	if w.fail != nil && w.rng.IntN(20) == 0 {
		return nil, w.fail
	}
	a := w.answers[[2]string{q.Kind, q.Theme}]
	if a == nil {
		a = &atlas.Answer{Kind: q.Kind}
	}
	a.Theme, a.Epoch = q.Theme, 1
	if q.Theme != "" {
		a.Model = "m"
	}
	return a, nil
}

// change has a matrix be another one: other groups in another order, and cells that move by more or less than Step.
func (w *world) change() {
	w.changed++
	kind := atlas.Kinds()[w.rng.IntN(len(atlas.Kinds()))]
	at := [2]string{kind, append([]string{""}, w.themes...)[w.rng.IntN(1+len(w.themes))]}
	was := map[string]atlas.Cell{}
	if a := w.answers[at]; a != nil {
		for _, c := range a.Cells {
			was[Key("", "", c.A, c.B)] = c
		}
	}
	a := &atlas.Answer{Kind: kind}
	for _, i := range w.rng.Perm(7)[:w.rng.IntN(7)] {
		key := fmt.Sprintf("%s %%|%d", kind, i)
		a.Groups = append(a.Groups, atlas.Group{Key: key, Label: key, Artifacts: 2 + w.rng.IntN(9)})
	}
	for i, g := range a.Groups {
		for _, h := range a.Groups[i:] {
			c, ok := was[Key("", "", g.Key, h.Key)]
			if !ok || w.rng.IntN(3) == 0 {
				c = atlas.Cell{Mean: w.rng.Float64() - 0.5, Contrast: w.rng.Float64(), Pairs: 10}
			}
			if c.Nearest = []atlas.Pair{{A: "x", B: "y", Cosine: 0.5}}; h.Key < g.Key {
				c.Nearest[0].A, c.Nearest[0].B = "y", "x"
			}
			c.Mean += (w.rng.Float64() - 0.5) * 4 * Step
			c.A, c.B, c.Low, c.High = g.Key, h.Key, c.Mean-0.05, c.Mean+0.05
			a.Cells = append(a.Cells, c)
		}
	}
	w.answers[at] = a
}

func (w *world) round() error {
	w.at = w.at.Add(time.Minute)
	return w.keeper.round(w.Context(), func(time.Duration) {})
}

// cells are those that the topic ends with.
func (w *world) cells() map[string]Cell {
	w.Helper()
	out := map[string]Cell{}
	for key, value := range w.topic {
		var c Cell
		if err := json.Unmarshal(value, &c); err != nil || c.key() != key {
			w.Fatalf("%q: %s (%v)", key, value, err)
		}
		out[key] = c
	}
	return out
}

// TestHistories: after any history of changes, failures, starts, damaged rows and losses of the topic, what the topic ends with is what the archive says, to within Step, and
// what is stored; a cell is told when something of it differs, and not when nothing does; and since when it says so follows from the intervals told.
func TestHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		w := newWorld(t, seed)
		since := map[string]Cell{} // the cells that Since is of
		for range 40 {
			before := w.cells()
			switch w.rng.IntN(9) {
			case 0:
				w.fail = errors.New("the disk is full")
				_ = w.round()
				w.fail = nil
			case 1:
				w.open()
			case 2:
				w.lost = w.revision
			case 3:
				w.known = false // a start: nothing of a theme may be taken back
				themes := w.themes
				w.themes = nil
				w.open()
				themed := func(_ string, c Cell) bool { return c.Theme == "" }
				was := w.cells()
				maps.DeleteFunc(was, themed)
				if err := w.round(); err != nil {
					t.Fatal(err)
				}
				is := w.cells()
				if maps.DeleteFunc(is, themed); len(is) != len(was) {
					t.Fatalf("seed %d: of %d cells of themes %d are left before it is known which themes there are", seed, len(was), len(is))
				}
				w.themes, w.known = themes, true
			case 4:
				for key := range w.rows {
					w.rows[key] = []byte("x")
					delete(since, key)
					break
				}
				w.open()
				if err := w.round(); err != nil {
					t.Fatal(err)
				}
			default:
				w.change()
				if err := w.round(); err != nil {
					t.Fatal(err)
				}
			}
			for key, c := range w.cells() {
				was, ok := since[key]
				within := ok && was.Low <= c.Mean && c.Mean <= was.High
				if old, there := before[key]; within && there && !c.Since.Equal(old.Since) || !within && !c.Since.Equal(w.at.UTC()) {
					t.Fatalf("seed %d: %q is %.3f since %v; was %+v", seed, key, c.Mean, c.Since, was)
				}
				if !within {
					since[key] = c
				}
			}
			maps.DeleteFunc(since, func(key string, _ Cell) bool { return w.topic[key] == nil })
		}
		if err := w.round(); err != nil {
			t.Fatal(err)
		}
		told := w.told
		if err := w.round(); err != nil || w.told != told {
			t.Errorf("seed %d: nothing has changed, and %d cells were told (%v)", seed, w.told-told, err)
		}
		w.isWhatTheArchiveSays()
		if most := slices.Max(w.committed); most > AtOnce {
			t.Errorf("seed %d: a commit has %d cells", seed, most)
		}
	}
}

func (w *world) isWhatTheArchiveSays() {
	w.Helper()
	left := w.cells()
	if len(left) == 0 || len(left) != len(w.rows) {
		w.Errorf("%d cells are told, and %d are stored", len(left), len(w.rows))
	}
	check := Checker{Read: w.Read, Themes: w.themes, Revision: w.revision, Fault: func(fault string) { w.Error(fault) }}
	for key, b := range w.rows {
		if err := check.Row(key, b); err != nil {
			w.Error(err)
		}
	}
	if n, err := check.Waiting(); n != 0 || err != nil {
		w.Errorf("%d cells are to be told (%v)", n, err)
	}
	for at, a := range w.answers {
		for _, c := range a.Cells {
			key := Key(at[0], at[1], c.A, c.B)
			told, ok := left[key]
			if delete(left, key); !ok || math.Abs(told.Mean-c.Mean) > Step || math.Abs(told.Contrast-c.Contrast) > Step || told.Field != at[0] || told.Theme != at[1] ||
				told.A.Key > told.B.Key || told.Nearest[0].A != "x" {
				w.Errorf("%q is told as %+v, and is %+v", key, told, c)
			}
		}
	}
	for key := range left {
		w.Errorf("%q is told, and not there", key)
	}
}

// TestCheckFindsDamage: each kind of damage is told, and what differs from what is made anew waits.
func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	for range 12 {
		w.change()
	}
	if err := w.round(); err != nil {
		t.Fatal(err)
	}
	key := slices.Min(slices.Collect(maps.Keys(w.rows)))
	for name, damage := range map[string]func(*row){
		"revision": func(r *row) { r.Cell.Revision = w.revision + 1 },
		"mean":     func(r *row) { r.Cell.Mean = r.Cell.High + 0.1 },
		"since":    func(r *row) { r.High = r.Cell.Mean - 0.01 },
		"order":    func(r *row) { r.Cell.Nearest = []atlas.Pair{{Cosine: 0.1}, {Cosine: 0.2}} },
		"key":      func(r *row) { r.Cell.Theme = "other" },
		"waits":    func(r *row) { r.Cell.Contrast += 2 * Step },
	} {
		r, err := parse(key, w.rows[key])
		if err != nil {
			t.Fatal(err)
		}
		damage(r)
		b, err := r.marshal()
		if err != nil {
			t.Fatal(err)
		}
		faults := 0
		check := Checker{Read: w.Read, Themes: w.themes, Revision: w.revision, Fault: func(string) { faults++ }}
		for k, row := range w.rows {
			if k == key {
				row = b
			}
			if err := check.Row(k, row); err != nil {
				t.Fatal(err)
			}
		}
		waiting, err := check.Waiting()
		if err != nil || (faults == 0) == (waiting == 0 || name != "waits") {
			t.Errorf("%s: %d faults, %d wait (%v)", name, faults, waiting, err)
		}
	}
}
