package ranking

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/judgments"
	"kilim/graphstore"
	"kilim/learner/encode/text"
	"kilim/rerank"
	"kilim/rerank/rank"
)

// archive is an Archive in a map, whose stated order knows nothing of subjects.
type archive struct {
	lock    sync.Mutex
	raw     map[string][]byte
	damaged map[string]bool
	state   State
	fail    error
	// used is what lists are published by.
	used *Ranker
	// asked is how often it was looked into.
	asked int
}

func (a *archive) Quiet() bool { return true }

func (a *archive) State() State {
	a.lock.Lock()
	defer a.lock.Unlock()
	return a.state
}

func (a *archive) Artifacts() int {
	a.lock.Lock()
	defer a.lock.Unlock()
	return len(a.raw)
}

func (a *archive) View(fn func(Documents) error) error {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.asked++
	if a.fail != nil {
		return a.fail
	}
	return fn(view{a})
}

func (a *archive) Use(r *Ranker, of State) error {
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.used = r; r != nil && of != a.state {
		a.used = nil
	}
	return nil
}

func (a *archive) Stated(_ context.Context, id string, k int) ([]rerank.Entry, State, error) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.asked++
	if a.fail != nil {
		return nil, State{}, a.fail
	}
	if a.raw[id] == nil {
		return nil, State{}, fmt.Errorf("%w: artifact %q", ErrNoArtifact, id)
	}
	var all []rerank.Entry
	for other := range a.raw {
		if other != id {
			score := chance(min(id, other), max(id, other))
			if set, _, _ := strings.Cut(id, "."); strings.HasPrefix(other, set+".") {
				score = 0.45 + 0.55*score // so that most are among the best
			}
			all = append(all, rerank.Entry{ID: other, Score: score, Parts: rerank.Parts{Cosine: score}})
		}
	}
	return rerank.TopK(all, k), a.state, nil
}

// chance is a number below 1 that two texts always give.
func chance(a, b string) float32 {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s|%s", a, b)
	return float32(h.Sum32()>>8) / (1 << 24)
}

// copy is the archive as it is now.
func (a *archive) copy() *archive {
	a.lock.Lock()
	defer a.lock.Unlock()
	return &archive{raw: maps.Clone(a.raw), damaged: maps.Clone(a.damaged), state: a.state}
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

// put stores an artifact: those of one set have a subject in common, which is what they are judged alike for.
func (a *archive) put(id string) {
	a.lock.Lock()
	defer a.lock.Unlock()
	set, _, _ := strings.Cut(id, ".")
	raw, err := json.Marshal(map[string]any{
		"id": id, "title": fmt.Sprintf("Vase %s", id[len(id)-1:]), "subject": []string{"subject " + set}, "culture": []string{"culture " + set[len(set)-1:]},
	})
	if err != nil {
		panic(err) // these values always have a JSON
	}
	a.raw[id] = raw
}

// said are Judgments in a map.
type said struct {
	lock    sync.Mutex
	of      map[string]judgments.Judgment
	changes uint64
	partial bool
}

func (s *said) List(string) []judgments.Judgment {
	s.lock.Lock()
	defer s.lock.Unlock()
	return slices.Collect(maps.Values(s.of)) // in any order
}

func (s *said) Len() int {
	s.lock.Lock()
	defer s.lock.Unlock()
	return len(s.of)
}

func (s *said) Changes() (uint64, bool) {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.changes, !s.partial
}

func (s *said) say(a, b string, grade float64, by string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.of[a+"|"+b] = judgments.Judgment{A: a, B: b, Grade: grade, By: by}
	s.changes++
}

func (s *said) withdraw(key string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	delete(s.of, key)
	s.changes++
}

// world is a Keeper over an archive of sets.
type world struct {
	testing.TB
	archive *archive
	said    *said
	keeper  *Keeper
	last    rounds
	cfg     Config
}

func idOf(set, member int) string { return fmt.Sprintf("s%d.%d", set, member) }

// newWorld has sets of three, newWorldOf of any number.
func newWorld(t testing.TB, sets int) *world {
	t.Helper()
	return newWorldOf(t, sets, 3)
}

func newWorldOf(t testing.TB, sets, members int) *world {
	t.Helper()
	w := &world{TB: t, archive: &archive{raw: map[string][]byte{}, damaged: map[string]bool{}, state: State{1, 1, rerank.DefaultScoreWeights()}}, said: &said{of: map[string]judgments.Judgment{}}}
	for set := range sets {
		for member := range members {
			w.archive.put(idOf(set, member))
		}
	}
	w.cfg = Config{Folder: t.TempDir(), Least: rank.LeastQueries, Fit: rank.Config{Trees: 8, Leaves: 4, Rate: 0.3, Seed: 1, Threads: 1}}
	w.open()
	return w
}

func (w *world) open() {
	w.Helper()
	w.keeper, w.last = openOver(w, w.cfg, w.archive, w.said), rounds{}
}

var words = sync.OnceValues(func() (*text.Encoder, error) { return text.NewEncoder(text.Config{}) })

func openOver(t testing.TB, cfg Config, a Archive, s Judgments) *Keeper {
	t.Helper()
	words, err := words()
	if err != nil {
		t.Fatal(err)
	}
	k, err := Open(cfg, a, s, words, NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// judge says that the members of some sets are alike, or are not.
func (w *world) judge(from, to int, grade float64) {
	for set := from; set < to; set++ {
		w.said.say(idOf(set, 0), idOf(set, 1), grade, "Ada")
		w.said.say(idOf(set, 0), idOf(set, 2), grade, "Ada")
	}
}

func (w *world) round() string {
	w.Helper()
	return w.keeper.round(w.Context(), &w.last)
}

// order is that of an artifact's whole list, nil where none is served.
func (w *world) order(id string) (*Order, []rerank.Entry) {
	w.Helper()
	entries, state, err := w.archive.Stated(w.Context(), id, 200)
	if err != nil {
		w.Fatal(err)
	}
	o, err := w.keeper.Order(Subject{ID: id}, state, entries)
	if err != nil {
		w.Fatal(err)
	}
	return o, entries
}

// judgeAtRandom says of the first member of each of some sets that it is like one of its candidates, each of a set of its own, which nothing about them tells.
func (w *world) judgeAtRandom(sets int, seed uint64) {
	w.Helper()
	rng, taken := rand.New(rand.NewPCG(seed, 2)), map[string]bool{}
	for set := range sets {
		entries, _, err := w.archive.Stated(w.Context(), idOf(set, 0), Best)
		if err != nil {
			w.Fatal(err)
		}
		for {
			id := entries[rng.IntN(len(entries))].ID
			of, _, _ := strings.Cut(id, ".")
			if own, err := strconv.Atoi(of[1:]); err == nil && own >= sets && !taken[id] {
				taken[id] = true
				w.said.say(idOf(set, 0), id, 1, "Bob")
				break
			}
		}
	}
}

// bytesOf is what a Keeper has decided, but for when.
func bytesOf(t testing.TB, k *Keeper) string {
	t.Helper()
	d := k.decided.Load()
	if d == nil {
		return ""
	}
	own := *d
	own.At = time.Time{}
	b, err := own.marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
