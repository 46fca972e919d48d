package themes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"kilim/daemon/themes/stored"
	"kilim/rerank"
)

// lists is a Store in maps.
type lists struct {
	rows     map[string][]byte
	pasts    map[string][]byte
	told     map[string]string // by topic and artifact; what is gone is ""
	revision uint64
	lost     uint64
	commits  int
	enqueued int
	fail     error  // of a commit, and of the making of a topic
	missing  string // a topic that can't be made
	during   func()
}

func newLists() *lists {
	return &lists{rows: map[string][]byte{}, pasts: map[string][]byte{}, told: map[string]string{}}
}

func (l *lists) Rows(fn func([]byte) error) error {
	for _, row := range l.rows {
		if err := fn(row); err != nil {
			return err
		}
	}
	return nil
}

func (l *lists) Lost() uint64 { return l.lost }

func (l *lists) Topic(_ context.Context, name string) error {
	if name == l.missing {
		return errors.New("not authorized for " + name)
	}
	return l.fail
}

func (l *lists) Commit(_ context.Context, write func(stored.Writer) error) error {
	if l.fail != nil {
		return l.fail
	}
	if l.during != nil {
		l.during()
	}
	l.revision++
	l.commits++
	return write(l)
}

func (l *lists) Revision() uint64 { return l.revision }

func (l *lists) Recorded() time.Time { return time.UnixMilli(int64(l.revision)) }

func (l *lists) Past(id, theme string) ([]byte, error) { return l.pasts[id+" "+theme], nil }

func (l *lists) PutPast(id, theme string, past []byte) error {
	if l.pasts[id+" "+theme] = past; past == nil {
		delete(l.pasts, id+" "+theme)
	}
	return nil
}

func (l *lists) Put(id string, row []byte) error {
	l.rows[id] = row
	return nil
}

func (l *lists) Delete(id string) error {
	delete(l.rows, id)
	return nil
}

func (l *lists) Enqueue(message []byte) error {
	l.enqueued++
	m, err := rerank.Decode(message)
	l.told[m.Topic+" "+m.ID] = string(m.Value)
	return err
}

// current are the lists that the topics end with.
func (l *lists) current() map[string]string {
	out := maps.Clone(l.told)
	maps.DeleteFunc(out, func(_, value string) bool { return value == "" })
	return out
}

// keepingLists is usual, with lists of 6 that are stored.
func keepingLists() (Config, *lists) {
	cfg, store := usual(), newLists()
	cfg.Store, cfg.Lists = store, stored.Config{Size: 6, Similar: "similar"}
	return cfg, store
}

// TestStoredListsAreThoseOfNow: after any history of records, deletions, rounds, starts, damage and failures, what is stored and told is what a Keeper
// stores that sees the end alone, and it answers with that what comparisons would find.
func TestStoredListsAreThoseOfNow(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 78))
			cfg, store := keepingLists()
			w := newWorld(t, cfg)
			w.fill(seed, 50, 40)
			for range 25 {
				id := fmt.Sprintf("a:%d", rng.IntN(60))
				switch rng.IntN(9) {
				case 0:
					w.round()
				case 1:
					w.renew()
				case 2:
					w.open()
					if err := w.keeper.Restore(t.Context()); err != nil {
						t.Fatal(err)
					}
				case 3:
					store.fail = errors.New("the disk is full")
					_, _ = w.keeper.renew(t.Context())
					store.fail = nil
					w.keeper.lists.tryAt = time.Time{}
				case 4:
					w.remove(id)
				default:
					w.apply(recordOf(rng, id, rng.IntN(3) > 0))
				}
				w.nothingDeleted()
			}
			w.renew()
			w.round()
			dull := newWorld(t, usual()) // compares whenever it is asked
			freshCfg, freshStore := keepingLists()
			fresh := newWorld(t, freshCfg)
			for _, r := range w.records {
				dull.apply(r)
				fresh.apply(r)
			}
			dull.round()
			fresh.round()
			got, want := store.current(), freshStore.current()
			if len(want) == 0 || len(got) != len(want) || len(store.rows) != len(w.records) {
				t.Errorf("%d lists are told and %d rows stored of %d artifacts, want %d lists", len(got), len(store.rows), len(w.records), len(want))
			}
			commits := store.commits
			if got, want := w.lists(6), dull.lists(6); !reflect.DeepEqual(got, want) {
				t.Error("answers with what is stored are other than comparisons")
			}
			if got, want := w.lists(8), dull.lists(8); !reflect.DeepEqual(got, want) {
				t.Error("answers that are longer than what is stored are other than comparisons")
			}
			w.open()
			if due := w.keeper.Status().Due; due != len(store.rows) {
				t.Errorf("%d are due before a model is there, want all %d", due, len(store.rows))
			}
			if err := w.keeper.Restore(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.renew()
			if due := w.keeper.Status().Due; due != 0 {
				t.Errorf("%d are due", due)
			}
			if store.commits != commits {
				t.Errorf("%d commits after a start at which nothing was due", store.commits-commits)
			}
			store.lost, store.told = store.revision, map[string]string{}
			w.open()
			store.during = func() {
				if w.keeper.Status().Due == 0 {
					t.Error("nothing is due while what was lost is told again")
				}
			}
			if err := w.keeper.Restore(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.renew()
			if len(store.current()) != len(got) {
				t.Errorf("%d lists are told again of %d that were lost", len(store.current()), len(got))
			}
		})
	}
}

// TestWhatIsNotStoredWaits: an artifact waits until its lists are stored, and meanwhile it is answered with what comparisons find.
func TestWhatIsNotStoredWaits(t *testing.T) {
	t.Parallel()
	cfg, store := keepingLists()
	w := newWorld(t, cfg)
	w.fill(1, 60, 50)
	w.round()
	asked := 0
	store.during = func() {
		asked++
		if waiting := w.keeper.Status().Waiting; waiting != 1 {
			t.Errorf("%d artifacts wait while the lists of one are stored", waiting)
		}
		if a := w.keeper.told(w.keeper.serving.Load(), "a:7", motif, 3); a != nil {
			t.Errorf("what was told of it before is answered: %+v", a)
		}
	}
	r := w.records["a:7"]
	r.Description += " noise1"
	w.apply(r)
	w.renew()
	if asked != 1 || w.keeper.Status().Waiting != 0 {
		t.Errorf("%d commits, and %d artifacts wait", asked, w.keeper.Status().Waiting)
	}
}

// TestOneTopicThatIsMissing: a theme whose topic can't be made holds up no other theme; Status and the metric tell of it, and when the topic can be made its
// lists are what they would have been.
func TestOneTopicThatIsMissing(t *testing.T) {
	t.Parallel()
	cfg, store := keepingLists()
	store.missing = "similar.motif"
	w := newWorld(t, cfg)
	w.fill(1, 60, 50)
	w.round()
	others := 0
	for topic := range store.current() {
		if strings.HasPrefix(topic, store.missing+" ") {
			t.Errorf("%s is told", topic)
		}
		others++
	}
	for _, theme := range w.keeper.Status().Themes {
		if broken := theme.Name == motif; strings.Contains(theme.Fault, "not authorized") != broken || theme.State != Served {
			t.Errorf("%+v", theme)
		}
	}
	if failures := testutil.ToFloat64(w.keeper.metrics.failures); others == 0 || failures != 1 {
		t.Errorf("%d lists of others are told, and %v failures", others, failures)
	}
	w.renew()
	if a, err := w.keeper.Similar(t.Context(), "a:1", motif, 3); err != nil || a.Applies && len(a.Items) != 3 {
		t.Errorf("without its topic: %v, %+v", err, a)
	}
	told, commits := store.current(), store.commits
	w.keeper.lists.tryAt = time.Time{}
	w.renew()
	if failures := testutil.ToFloat64(w.keeper.metrics.failures); store.commits != commits || failures != 2 {
		t.Errorf("%d commits because a topic is still missing, and %v failures", store.commits-commits, failures)
	}
	store.missing = ""
	w.keeper.lists.tryAt = time.Time{}
	w.renew()
	for topic, value := range told {
		if store.told[topic] != value {
			t.Errorf("%s was told again", topic)
		}
	}
	now := w.keeper.Status()
	for _, theme := range now.Themes {
		if theme.Fault != "" {
			t.Errorf("%+v", theme)
		}
	}
	dullCfg, dull := keepingLists()
	all := newWorld(t, dullCfg)
	all.fill(1, 60, 50)
	all.round()
	if got, want := len(store.current()), len(dull.current()); got != want || got == others || now.Due != 0 {
		t.Errorf("%d lists are told and %d due, want %d", got, now.Due, want)
	}
}

// TestTakenTopics: a theme whose topic is configured for something else is refused by name and setting, whoever declares it.
func TestTakenTopics(t *testing.T) {
	t.Parallel()
	cfg, store := keepingLists()
	cfg.Taken = map[string]string{"similar.craft": "kafka.topics.judgments", "similar.motif": "kafka.topics.artifacts"}
	w := newWorld(t, cfg)
	err := w.keeper.Declare(Declaration{Name: "craft"})
	if !errors.Is(err, ErrDeclaration) || !strings.Contains(err.Error(), `"craft"`) || !strings.Contains(err.Error(), `"similar.craft", which is kafka.topics.judgments`) {
		t.Errorf("declared is %v", err)
	}
	if err := w.keeper.Declare(Declaration{Name: "Craft"}); err != nil {
		t.Error(err)
	}
	w.fill(1, 60, 50) // records may name a theme so: its lists are stored nowhere, and the others' are
	w.round()
	for topic := range store.current() {
		if strings.HasPrefix(topic, "similar.motif ") {
			t.Errorf("%s is told", topic)
		}
	}
	if len(store.current()) == 0 {
		t.Error("no list is told")
	}
	cfg.Declared = []Declaration{{Name: "craft"}}
	cfg.Folder = t.TempDir()
	if _, err := Open(cfg, w.archive, NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler)); !errors.Is(err, ErrDeclaration) || !strings.Contains(err.Error(), "themes.declare") {
		t.Errorf("configured is %v", err)
	}
}

// TestNoListsWithoutATopic: while the topics can't be made nothing is stored or told, and all is once they can; when no theme is learned any more all
// lists go, and where none ever was nothing is committed.
func TestNoListsWithoutATopic(t *testing.T) {
	t.Parallel()
	cfg, store := keepingLists()
	w := newWorld(t, cfg)
	w.fill(1, 60, 0)
	w.round()
	if store.commits != 0 {
		t.Errorf("%d commits without a theme", store.commits)
	}
	store.fail = errors.New("not authorized")
	w.fill(1, 60, 50)
	w.keeper.round(t.Context(), &w.last)
	if _, err := w.keeper.renew(t.Context()); !errors.Is(err, store.fail) || store.commits != 0 {
		t.Errorf("without topics: %v, %d commits", err, store.commits)
	}
	if a, err := w.keeper.Similar(t.Context(), "a:1", motif, 3); err != nil || a.Applies && len(a.Items) != 3 {
		t.Errorf("without topics: %v, %+v", err, a)
	}
	store.fail = nil
	w.keeper.lists.tryAt = time.Time{}
	w.renew()
	if lists := len(store.current()); lists == 0 || len(store.rows) != 60 || w.keeper.Status().Lists != lists || w.keeper.Status().Due != 0 {
		t.Errorf("%d lists are told, %d rows stored: %+v", lists, len(store.rows), w.keeper.Status())
	}
	w.cfg.Works = 0
	w.open()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.keeper.Run(ctx) }()
	for w.keeper.Status().Lists > 0 || w.keeper.Status().Due > 0 {
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil || len(store.rows) != 0 || len(store.current()) != 0 {
		t.Errorf("%v: without themes %d rows are stored, and %d lists told", err, len(store.rows), len(store.current()))
	}
}
