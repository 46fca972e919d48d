package queries

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer/profile"
	"kilim/rerank"
)

const listSize = 4

// archive is one whose answers are made the dull way: all artifacts are compared with the query.
type archive struct {
	rng     *rand.Rand
	changed int
	epoch   uint32
	ranker  uint64
	// all are numbers by id, that a query's title is near to or not.
	all map[string]float64
	// broken are the titles that can't be asked for, and encoded counts how often media were.
	broken  map[string]bool
	encoded int
}

func newArchive(seed uint64) *archive {
	return &archive{rng: rand.New(rand.NewPCG(seed, 7)), epoch: 1, all: map[string]float64{}, broken: map[string]bool{}}
}

func (a *archive) Version() (any, error) { return [3]any{a.changed, a.epoch, a.ranker}, nil }
func (a *archive) Quiet() bool           { return true }
func (a *archive) Encoders() any         { return a.epoch }

func (a *archive) Encode(_ context.Context, q *profile.Artifact) error {
	a.encoded++
	q.Language = fmt.Sprint(a.epoch)
	return nil
}

func (a *archive) Ask(_ context.Context, q *profile.Artifact) (*Answer, error) {
	if a.broken[q.Title] {
		return nil, errors.New("no encoder")
	}
	if q.Language != fmt.Sprint(a.epoch) {
		return nil, fmt.Errorf("encoded by %s, %d serves", q.Language, a.epoch)
	}
	return a.answer(q.Title), nil
}

func (a *archive) answer(title string) *Answer {
	at := 0.0
	for _, r := range title {
		at += float64(r % 7)
	}
	var total, general []rerank.Entry
	for id, x := range a.all {
		d := x - at/40 - float64(a.epoch)/9
		general = append(general, rerank.Entry{ID: id, Score: float32(1 - d*d)})
		total = append(total, rerank.Entry{ID: id, Score: float32(1 - d*d*d*d + x/9)})
	}
	out := &Answer{Epoch: a.epoch, Lists: rerank.Lists{{Name: rerank.ListTotal, Entries: rerank.TopK(total, listSize)}, {Name: rerank.ListGeneral, Entries: rerank.TopK(general, listSize)}}}
	if a.ranker > 0 {
		out.Ordered = &rerank.Ordered{Ranker: a.ranker}
		for _, e := range slices.Backward(out.Lists[0].Entries) {
			score := -float64(e.Score)
			out.Ordered.Entries = append(out.Ordered.Entries, rerank.OrderedEntry{ID: e.ID, Score: score, Parts: []rerank.OrderedPart{{Name: "stated", Value: score}}})
		}
		out.Lists = out.Ordered.Over(out.Lists)
	}
	return out
}

// change has an artifact come, move or go, or another model or ranker serve. It returns the artifact.
func (a *archive) change() (id string) {
	a.changed++
	id = fmt.Sprint("a", a.rng.IntN(14))
	switch n := a.rng.IntN(20); {
	case n == 0:
		a.epoch++
		return ""
	case n == 1:
		a.ranker = uint64(a.rng.IntN(3))
		return ""
	case n < 6:
		delete(a.all, id)
	default:
		a.all[id] = a.rng.Float64()
	}
	return id
}

// source is a Log without a topic.
type source struct {
	set      *set
	complete bool
}

func newSource() *source { return &source{newSet(MostQueries, mostBytes), true} }

func (s *source) List() ([]Query, uint64, bool) {
	all, changes := s.set.list()
	return all, changes, s.complete
}

func (s *source) put(t *testing.T, name, title string) {
	t.Helper()
	value, err := json.Marshal(Query{Name: name, Record: json.RawMessage(fmt.Sprintf(`{"title":%q}`, title))})
	if err == nil {
		err = s.set.Record(0, name, value)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func titleOf(t *testing.T, q *Query) string {
	a, err := q.Artifact()
	if err != nil {
		t.Fatal(err)
	}
	return a.Title
}

// world is a Keeper with a Store that may fail.
type world struct {
	*testing.T
	*archive
	source *source
	at     time.Time

	rows      map[string][]byte
	log       []rerank.OutMessage
	lost      uint64
	revision  uint64
	fail      error
	committed int

	keeper *Keeper
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{T: t, archive: newArchive(seed), source: newSource(), at: time.Unix(1e9, 0), rows: map[string][]byte{}}
	w.open()
	return w
}

func (w *world) open() {
	w.Helper()
	w.keeper = openKeeper(w.T, w.source, w.archive, w)
	w.keeper.now = func() time.Time { return w.at }
}

func openKeeper(t *testing.T, s Source, a Archive, store Store) *Keeper {
	t.Helper()
	k, err := Open(Config{Linger: time.Second, Tolerance: 0.001}, s, a, store, NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

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

func (w *world) Enqueue(message []byte) error {
	m, err := rerank.Decode(message)
	if err == nil {
		w.log = append(w.log, m)
	}
	return err
}

func (w *world) Commit(_ context.Context, write func(Writer) error) error {
	if w.rng.IntN(8) == 0 { // of a state that another one has taken the place of
		if err := write(&world{T: w.T, rows: map[string][]byte{}, revision: 999}); err != nil {
			return err
		}
	}
	if w.fail != nil && w.rng.IntN(2) == 0 {
		return w.fail
	}
	w.revision++
	w.committed++
	return write(w)
}

func (w *world) round() (int, error) {
	w.at = w.at.Add(time.Minute)
	return w.keeper.round(w.Context(), func(time.Duration) {})
}

// endsWith are the newest messages of the queries that are there.
func endsWith(log []rerank.OutMessage) map[string]*rerank.Update {
	out := map[string]*rerank.Update{}
	for _, m := range log {
		if out[m.ID] = m.Update; m.Update == nil {
			delete(out, m.ID)
		}
	}
	return out
}

// isWhatIsAsked wants the topic to end, and the rows to be, what the dull way answers.
func (w *world) isWhatIsAsked(rows map[string][]byte, log []rerank.OutMessage) {
	w.Helper()
	told := endsWith(log)
	all, _, _ := w.source.List()
	if len(told) != len(all) || len(rows) != len(all) {
		w.Fatalf("there are %d queries, %d are told and %d stored", len(all), len(told), len(rows))
	}
	check := Checker{Revision: w.revision, Fault: func(fault string) { w.Error(fault) }, Exists: func(id string) (bool, error) { _, ok := w.all[id]; return ok, nil }}
	for i := range all {
		q := &all[i]
		want := w.answer(titleOf(w.T, q))
		is := &row{Digest: q.digest(), Epoch: want.Epoch, Lists: want.Lists, Ordered: want.Ordered}
		u := told[q.Name]
		if was := (&row{Digest: q.digest(), Epoch: u.Epoch, Lists: u.Lists, Ordered: u.Ordered}); is.differs(was, 0.001) {
			w.Errorf("%q is told as %+v, want %+v", q.Name, u, want)
		}
		r, err := parseRow(q.Name, rows[q.Name])
		if err != nil || r.Revision != u.Revision || !reflect.DeepEqual(r.Lists, u.Lists) || fmt.Sprint(r.Changes) != fmt.Sprint(u.Changes) || !reflect.DeepEqual(r.Ordered, u.Ordered) {
			w.Errorf("%q is stored as %+v (%v), and told as %+v", q.Name, r, err, u)
		}
		if err := check.Row(q.Name, rows[q.Name]); err != nil {
			w.Error(err)
		}
	}
	if check.Waiting != 0 {
		w.Errorf("%d rows name what is gone", check.Waiting)
	}
}

// isAHistory wants each message to tell what has changed since the one before, and none to tell nothing, but those of what was lost.
func isAHistory(t *testing.T, log []rerank.OutMessage, again map[string]bool) {
	t.Helper()
	before := map[string]*rerank.Update{}
	for _, m := range log {
		was := before[m.ID]
		if m.Update == nil {
			if delete(before, m.ID); was == nil && !again[m.ID] {
				t.Errorf("%q is taken back, and was not there", m.ID)
			}
			continue
		}
		u := m.Update
		if was == nil {
			was = &rerank.Update{}
		}
		if !again[m.ID] && !maps.EqualFunc(u.Changes, rerank.DiffAll(was.Lists, u.Lists), func(a, b rerank.Changes) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
			t.Errorf("%q of revision %d: changes %+v after %+v: %+v", m.ID, m.Revision, u.Changes, was.Lists, u.Lists)
		}
		if m.Revision <= was.Revision {
			t.Errorf("%q: revision %d after %d", m.ID, m.Revision, was.Revision)
		}
		before[m.ID] = u
	}
}

// TestHistories: after any history of changes, queries, models, rankers, failures, starts, damaged rows and losses of the topic, what the topic ends with is what each query is answered
// with the dull way; each message tells what has changed since the one before; and when nothing has changed nothing is told.
func TestHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		w := newWorld(t, seed)
		again := map[string]bool{} // those of which a row was damaged, so that nobody knows what was told
		for range 120 {
			name := fmt.Sprint("q", w.rng.IntN(5))
			all, _, _ := w.source.List()
			switch w.rng.IntN(14) {
			case 0:
				w.fail = errors.New("the disk is full")
				_, _ = w.round()
				w.fail = nil
			case 1:
				w.open()
			case 2:
				w.lost = w.revision
			case 3:
				w.source.complete = false // a start
				w.open()
				before := len(w.log)
				if _, err := w.round(); err != nil || len(w.log) != before {
					t.Fatalf("seed %d: before all is read %d are told (%v)", seed, len(w.log)-before, err)
				}
				w.source.complete = true
			case 4:
				for key := range w.rows {
					w.rows[key], again[key] = []byte("x"), true
					break
				}
				w.open()
			case 5, 6:
				w.source.put(t, name, fmt.Sprint("title ", w.rng.IntN(40)))
			case 7:
				if err := w.source.set.Record(0, name, nil); err != nil {
					t.Fatal(err)
				}
			case 8:
				if len(all) > 0 { // one can't be asked: the others are told
					title := titleOf(t, &all[0])
					w.broken[title] = true
					w.change()
					failed, err := w.round()
					if err != nil || failed == 0 || w.keeper.Status(&all[0]).Failure == "" {
						t.Fatalf("seed %d: %d can't be asked, %+v (%v)", seed, failed, w.keeper.Status(&all[0]), err)
					}
					delete(w.broken, title)
				}
			default:
				w.change()
				if failed, err := w.round(); failed != 0 || err != nil {
					t.Fatalf("seed %d: %d failed (%v)", seed, failed, err)
				}
			}
		}
		if _, err := w.round(); err != nil {
			t.Fatal(err)
		}
		told, encoded := len(w.log), w.encoded
		if _, err := w.round(); err != nil || len(w.log) != told || w.encoded != encoded {
			t.Errorf("seed %d: nothing has changed, and %d were told (%v)", seed, len(w.log)-told, err)
		}
		w.isWhatIsAsked(w.rows, w.log)
		isAHistory(t, w.log, again)
		if told < 60 {
			t.Errorf("seed %d: only %d messages", seed, told)
		}
		all, _, _ := w.source.List()
		for i := range all {
			if s := w.keeper.Status(&all[i]); s.Failure != "" || s.Told == nil || s.Told.Revision == 0 {
				t.Errorf("seed %d: %q stands at %+v", seed, all[i].Name, s)
			}
		}
	}
}

// TestEachChangeIsTold: of a stream of changes with a round after each, exactly those are told that the dull way finds, with the artifact that was their cause.
func TestEachChangeIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 11)
	for i := range 20 {
		w.source.put(t, fmt.Sprint("q", i), fmt.Sprint("title ", i*i))
	}
	if _, err := w.round(); err != nil {
		t.Fatal(err)
	}
	all, _, _ := w.source.List()
	changes, silent, last := 0, 0, ""
	for i := range 400 {
		was := map[string]*rerank.Update{}
		maps.Copy(was, endsWith(w.log))
		before := len(w.log)
		id := w.change()
		recorded := time.UnixMilli(int64(i))
		ended := w.keeper.Applying([]Changed{{ID: id, Recorded: recorded}})
		if i%2 == 0 {
			ended()
		}
		if _, err := w.round(); err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			ended()
		}
		told := map[string]*rerank.Update{}
		for _, m := range w.log[before:] {
			if told[m.ID] != nil {
				t.Fatalf("%q is told twice in one round", m.ID)
			}
			told[m.ID] = m.Update
		}
		for j := range all {
			q := &all[j]
			want := w.answer(titleOf(t, q))
			is := &row{Epoch: want.Epoch, Lists: want.Lists, Ordered: want.Ordered}
			changed := is.differs(&row{Epoch: was[q.Name].Epoch, Lists: was[q.Name].Lists, Ordered: was[q.Name].Ordered}, 0.001)
			u := told[q.Name]
			if changed != (u != nil) {
				t.Fatalf("change %d: %q has changed: %v, and is told as %+v", i, q.Name, changed, u)
			}
			if u == nil {
				silent++
				continue
			}
			changes++
			// The batch that changed the one before may have ended after that was told.
			cause := slices.DeleteFunc(slices.Clone(u.Cause), func(c string) bool { return c == last && c != id })
			if id != "" && (!slices.Equal(cause, []string{id}) || !u.Recorded.Equal(recorded)) || id == "" && len(cause) > 0 {
				t.Fatalf("change %d: %q is told because of %q at %v, not %q: %+v, was %+v", i, q.Name, u.Cause, u.Recorded, id, u.Lists, was[q.Name].Lists)
			}
		}
		last = id
	}
	if changes < 500 || silent < 500 {
		t.Errorf("%d changes and %d times none say little", changes, silent)
	}
	if n := len(w.keeper.notes.at); n > 2 {
		t.Errorf("%d artifacts are remembered", n)
	}
}

// TestWhatIsFoundIsToldSoon: what is found in a round that is long is told when it has lingered, and in one that is not, in commits of AtOnce.
func TestWhatIsFoundIsToldSoon(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]int{0: 3, 400 * time.Millisecond: 70} {
		w := newWorld(t, 3)
		w.all["a"] = 0.5
		for i := range 70 {
			w.source.put(t, fmt.Sprint("q", i), fmt.Sprint("title ", i))
		}
		w.keeper.now = func() time.Time { w.at = w.at.Add(took); return w.at }
		if _, err := w.round(); err != nil {
			t.Fatal(err)
		}
		if w.committed > want || took == 0 && w.committed != want || took > 0 && w.committed < 20 {
			t.Errorf("answers take %v: %d commits", took, w.committed)
		}
		w.isWhatIsAsked(w.rows, w.log)
	}
}

// TestCheckFindsDamage: each kind of damage is told.
func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	for range 30 {
		w.change()
	}
	w.ranker = 0
	w.source.put(t, "q", "title")
	if _, err := w.round(); err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(*row){
		"revision": func(r *row) { r.Revision = w.revision + 1 },
		"order":    func(r *row) { slices.Reverse(r.Lists[1].Entries) },
		"twice":    func(r *row) { r.Lists[0].Entries[0].ID = r.Lists[0].Entries[1].ID },
		"name":     func(r *row) { r.Name = "other" },
		"learned":  func(r *row) { r.Ordered = &rerank.Ordered{Ranker: 1} },
		"gone":     func(r *row) { r.Lists[0].Entries[0].ID = "nobody" },
	} {
		r, err := parseRow("q", w.rows["q"])
		if err != nil {
			t.Fatal(err)
		}
		damage(r)
		b, err := r.marshal()
		if err != nil {
			t.Fatal(err)
		}
		faults := 0
		check := Checker{Revision: w.revision, Fault: func(string) { faults++ }, Exists: func(id string) (bool, error) { return id != "nobody", nil }}
		if err := check.Row("q", b); err != nil || (faults == 0) != (name == "gone") || (check.Waiting > 0) != (name == "gone") {
			t.Errorf("%s: %d faults, %d wait (%v)", name, faults, check.Waiting, err)
		}
	}
}
