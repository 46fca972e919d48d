package themes

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/graphstore"
)

// archive is an Archive in a map.
type archive struct {
	lock    sync.Mutex
	raw     map[string][]byte
	damaged map[string]bool
	fail    error
	during  func() // of a View
}

func newArchive() *archive { return &archive{raw: map[string][]byte{}, damaged: map[string]bool{}} }

func (a *archive) Quiet() bool { return true }

func (a *archive) View(fn func(Documents) error) error {
	if during := a.during; during != nil {
		a.during = nil // it may look itself
		during()
		a.during = during
	}
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.fail != nil {
		return a.fail
	}
	return fn(view{a})
}

type view struct{ *archive }

func (v view) Artifact(id string) (*graphstore.Doc, error) {
	if v.damaged[id] {
		return nil, &graphstore.DamagedError{Artifact: id, Err: io.ErrUnexpectedEOF}
	}
	if raw := v.raw[id]; raw != nil {
		return &graphstore.Doc{ID: id, Raw: raw}, nil
	}
	return nil, nil
}

func (v view) ArtifactsAfter(after graphstore.NodeID, limit int) ([]string, error) {
	node := func(id string) graphstore.NodeID { return graphstore.ID(graphstore.Artifact, id) }
	ids := slices.SortedFunc(maps.Keys(v.raw), func(a, b string) int { return cmp.Compare(node(a), node(b)) })
	ids = slices.DeleteFunc(ids, func(id string) bool { return node(id) <= after })
	return ids[:min(limit, len(ids))], nil
}

// StoredOffset and Apply make an archive the state that a batch is applied to.
func (a *archive) StoredOffset(string, int) (consumer.Offset, bool, error) {
	return consumer.Offset{}, false, nil
}

func (a *archive) Apply(_ context.Context, b *consumer.Batch) error {
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.fail != nil {
		return a.fail
	}
	for _, item := range b.Items {
		delete(a.damaged, item.ID)
		if item.Artifact == nil {
			delete(a.raw, item.ID)
		} else {
			a.raw[item.ID] = item.Artifact.Raw
		}
	}
	return nil
}

// record is an artifact of an invented archive: each is of some topics, which give it words, a technique, a place, and, where it is
// labelled, terms of two themes.
type record struct {
	ID          string              `json:"id"`
	Title       string              `json:"title"`
	Description string              `json:"description"`
	Place       []string            `json:"place"`
	Technique   []string            `json:"technique"`
	Theme       map[string][]string `json:"theme,omitempty"`
}

func recordOf(rng *rand.Rand, id string, labelled bool) record {
	r := record{ID: id}
	var said []string
	for range 1 + rng.IntN(2) {
		topic := rng.IntN(10)
		for range 5 {
			said = append(said, fmt.Sprintf("word%cq%d", 'a'+topic, rng.IntN(6)))
		}
		r.Place = append(r.Place, fmt.Sprintf("place %d", topic/2))
		r.Technique = append(r.Technique, fmt.Sprintf("Technique %d", topic))
		if labelled {
			if r.Theme == nil {
				r.Theme = map[string][]string{}
			}
			name := []string{"motif", "emotions, concepts: and ideas"}[topic%2]
			r.Theme[name] = append(r.Theme[name], fmt.Sprintf("term %d", topic))
		}
	}
	for range 4 {
		said = append(said, fmt.Sprintf("noise%d", rng.IntN(100)))
	}
	r.Title, r.Description = strings.Join(said[:2], " "), strings.Join(said, " ")
	return r
}

func (r record) artifact(t testing.TB) *profile.Artifact {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	a, err := profile.Parse(raw, "", profile.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// world is a Keeper over an archive.
type world struct {
	testing.TB
	archive *archive
	keeper  *Keeper
	sink    consumer.Sink
	last    rounds
	cfg     Config
	records map[string]record
}

func newWorld(t testing.TB, cfg Config) *world {
	w := &world{TB: t, archive: newArchive(), cfg: cfg, records: map[string]record{}}
	w.cfg.Folder = t.TempDir()
	w.open()
	return w
}

func usual() Config { return Config{Least: 20, Works: 1000, Memory: 64 << 20} }

func (w *world) open() {
	w.Helper()
	k, err := Open(w.cfg, w.archive, NewMetrics(prometheus.NewRegistry()), slog.New(slog.NewTextHandler(w.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		w.Fatal(err)
	}
	w.keeper, w.sink, w.last = k, k.Sink(w.archive), rounds{}
	if err := k.loadLists(); err != nil {
		w.Fatal(err)
	}
}

// apply has a batch applied. A record without an ID is none.
func (w *world) apply(records ...record) {
	w.Helper()
	b := &consumer.Batch{}
	for _, r := range records {
		w.records[r.ID] = r
		b.Items = append(b.Items, consumer.Item{ID: r.ID, Artifact: r.artifact(w)})
	}
	if err := w.sink.Apply(w.Context(), b); err != nil {
		w.Fatal(err)
	}
}

func (w *world) remove(ids ...string) {
	w.Helper()
	b := &consumer.Batch{}
	for _, id := range ids {
		delete(w.records, id)
		b.Items = append(b.Items, consumer.Item{ID: id})
	}
	if err := w.sink.Apply(w.Context(), b); err != nil {
		w.Fatal(err)
	}
}

// fill applies records of which the first are labelled.
func (w *world) fill(seed uint64, n, labelled int) {
	rng := rand.New(rand.NewPCG(seed, 5))
	var all []record
	for i := range n {
		all = append(all, recordOf(rng, fmt.Sprintf("a:%d", i), i < labelled))
	}
	w.apply(all...)
}

// round does one, and returns its result.
func (w *world) round() string {
	w.Helper()
	before := w.results()
	w.keeper.round(w.Context(), &w.last)
	w.renew()
	for result, n := range w.results() {
		if n > before[result] {
			return result
		}
	}
	return ""
}

func (w *world) results() map[string]float64 {
	out := map[string]float64{}
	for _, r := range []string{fitted, unchanged, nothing, failed} {
		out[r] = testutil.ToFloat64(w.keeper.metrics.rounds.WithLabelValues(r))
	}
	return out
}

// renew renews all profiles that wait.
func (w *world) renew() {
	w.Helper()
	for {
		more, err := w.keeper.renew(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		if !more {
			return
		}
	}
}

// lists are those of all records in all themes that serve, without when the model was made.
func (w *world) lists(n int) map[string]*Answer {
	w.Helper()
	out := map[string]*Answer{}
	for _, t := range w.keeper.Status().Themes {
		if t.State != Served {
			continue
		}
		for id := range w.records {
			a, err := w.keeper.Similar(w.Context(), id, t.Name, n)
			if err != nil {
				w.Fatal(err)
			}
			a.Made = Made{}
			out[t.Name+" "+id] = a
		}
	}
	return out
}
