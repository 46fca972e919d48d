package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/daemon/pipeline/listgraph"
	"kilim/daemon/pipeline/made"
	"kilim/graphstore"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// thin skips two histories of three in a short run, as that under the race detector is (see .ci/run): the third has the same
// goroutines beside each other.
func thin(t *testing.T, seed uint64) {
	t.Helper()
	if testing.Short() && seed%3 != 1 {
		t.Skip("one history of three under -short")
	}
}

// stride is from one write at which a test crashes to the next: each, and in a short run every third.
func stride() int {
	if testing.Short() {
		return 3
	}
	return 1
}

// exact is the configuration in which the lists are a pure function of what lives.
func exact() Config {
	return Config{
		DeadLetters: "dlq", Engine: "flat", Epoch: 1,
		Text:      text.Config{Dim: 64, Seed: 1},
		Model:     infer.Config{Text: 64, Facts: facts.Dim, Width: 32, Bases: 3, Heads: 4, Relations: refresh.Relations, Types: refresh.Relations / 2, Seed: 1},
		Budget:    16,
		Settings:  made.Settings{ListSize: 5, Candidates: 20, RareMembers: 8},
		MaxOutbox: 1 << 30, CacheBytes: 100_000,
	}
}

// site is an engine on a store, with a publisher that remembers.
type site struct {
	t      testing.TB
	dir    string
	cfg    Config
	store  *graphstore.Store
	engine *Engine
	// offset is that of the next record.
	offset int64
}

func openSite(t testing.TB, dir string, cfg Config, opts graphstore.Options) (*site, error) {
	store, err := graphstore.Open(dir, opts)
	if err != nil {
		return nil, err
	}
	reg := prometheus.NewRegistry()
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "refused"}, []string{"reason"})
	e, err := Open(cfg, store, NewMetrics(reg, refused), func() {}, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, fmt.Errorf("%w (close: %v)", err, store.Close())
	}
	return &site{t: t, dir: dir, cfg: cfg, store: store, engine: e}, nil
}

// newSite opens a site that is checked and closed at the end of the test.
func newSite(t testing.TB, cfg Config) *site {
	t.Helper()
	s, err := openSite(t, t.TempDir(), cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

func (s *site) close() {
	s.t.Helper()
	if err := s.engine.Check(func(p string) { s.t.Error(p) }); err != nil {
		s.t.Error(err)
	}
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
}

// change is one record: fields nil is a deletion.
type change struct {
	id     string
	fields map[string]any
}

func (c change) item(offset int64) consumer.Item {
	item := consumer.Item{
		Record: consumer.Record{Topic: "in", Partition: 0, Offset: offset, Time: time.Unix(1_700_000_000+offset, 0), Key: []byte(c.id)},
		ID:     c.id,
	}
	if c.fields == nil {
		return item
	}
	fields := c.fields
	if len(fields) == 0 {
		fields = map[string]any{"id": c.id} // an object without any field is refused
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	item.Value = raw
	if item.Artifact, err = profile.Parse(raw, c.id, profile.DefaultLimits()); err != nil {
		panic(err)
	}
	return item
}

func batchOf(first int64, changes []change) *consumer.Batch {
	b := &consumer.Batch{}
	for i, c := range changes {
		b.Items = append(b.Items, c.item(first+int64(i)))
	}
	b.Next = []consumer.Offset{{Topic: "in", Partition: 0, Next: first + int64(len(changes))}}
	return b
}

func (s *site) apply(changes []change) error {
	err := s.engine.Apply(context.Background(), batchOf(s.offset, changes))
	if err == nil {
		s.offset += int64(len(changes))
	}
	return err
}

// settle runs the background until nothing is left. While changes linger, it lets others run.
func (s *site) settle() error {
	for units := 0; ; {
		more, err := s.engine.backgroundUnit()
		switch {
		case err != nil:
			return err
		case more:
			units++
		case s.engine.lists.Lingering() == 0:
			return nil
		default:
			runtime.Gosched()
		}
		if units > 100_000 {
			return fmt.Errorf("the background does not come to rest: %d left", s.engine.pending())
		}
	}
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// published replays the outbox: the last message for each artifact (nil: a tombstone), and how
// often each (id, revision) occurs.
func (s *site) published() (last map[string]*rerank.Update, times map[string]int) {
	s.t.Helper()
	last, times = map[string]*rerank.Update{}, map[string]int{}
	s.must(s.store.View(func(r *graphstore.Reader) error {
		after := uint64(0)
		for {
			entries, err := r.Outbox(after, 500)
			if err != nil || len(entries) == 0 {
				return err
			}
			for _, entry := range entries {
				after = entry.Seq
				m, err := rerank.Decode(entry.Value)
				if err != nil {
					return err
				}
				switch m.Kind {
				case rerank.KindUpdate, rerank.KindTombstone:
					last[m.ID] = m.Update
					times[fmt.Sprintf("%s/%d", m.ID, m.Revision)]++
				}
			}
		}
	}))
	return last, times
}

// lists are the stored lists by artifact.
func (s *site) lists() map[string]rerank.Lists {
	s.t.Helper()
	out := map[string]rerank.Lists{}
	s.must(s.store.View(func(r *graphstore.Reader) error {
		var bad error
		err := r.EachNode(func(n *graphstore.Node) bool {
			if !n.IsArtifact() {
				return true
			}
			row, err := topk.Stored(listgraph.Reader{R: r}, uint64(n.ID))
			if err == nil {
				out[n.Key] = row.Lists
			}
			bad = err
			return err == nil
		})
		if err != nil {
			return err
		}
		return bad
	}))
	return out
}

func sameLists(a, b rerank.Lists) bool {
	return slices.EqualFunc(a, b, func(a, b rerank.List) bool {
		return a.Name == b.Name && slices.Equal(a.Entries, b.Entries)
	})
}

func both(total, general []rerank.Entry) rerank.Lists {
	return rerank.Lists{{Name: rerank.ListTotal, Entries: total}, {Name: rerank.ListGeneral, Entries: general}}
}

// compareLists fails the test for each artifact whose lists differ in any bit.
func compareLists(t testing.TB, what string, got, want map[string]rerank.Lists) {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(want)) {
		g, ok := got[id]
		if !ok {
			t.Errorf("%s: %q has no lists", what, id)
		} else if !sameLists(g, want[id]) {
			t.Errorf("%s: lists of %q differ:\n got %+v\nwant %+v", what, id, g, want[id])
		}
	}
	for id := range got {
		if _, ok := want[id]; !ok {
			t.Errorf("%s: lists of %q, which is not there", what, id)
		}
	}
}

var lexicon = []string{"border", "lozenge", "star", "hook", "ram", "horn", "river", "eye", "comb", "bird", "indigo", "madder", "wool", "silk", "prayer", "rug", "weft", "knot"}

// invent makes the fields of an artifact.
func invent(rng *rand.Rand, id, ids int) map[string]any {
	pick := func(n int) string {
		s := ""
		for range n {
			s += " " + lexicon[rng.IntN(len(lexicon))]
		}
		return s[1:]
	}
	f := map[string]any{"title": pick(3), "culture": []string{fmt.Sprintf("culture %d", rng.IntN(4))}}
	if rng.IntN(2) == 0 {
		f["description"] = pick(12)
	}
	if rng.IntN(2) == 0 {
		f["creator"] = []string{fmt.Sprintf("maker %d", rng.IntN(12))}
	}
	if rng.IntN(2) == 0 {
		f["date"] = map[string]any{"begin": 1500 + rng.IntN(300), "end": 1800 + rng.IntN(50)}
	}
	if rng.IntN(4) == 0 {
		f["media"] = []any{map[string]any{"kind": "image", "uri": "http://example.org/i.jpg"}, map[string]any{"kind": "text", "text": pick(6)}}
	}
	if target := rng.IntN(ids); target != id && rng.IntN(4) == 0 {
		f["link"] = []any{map[string]any{"type": "related", "target": fmt.Sprintf("a%d", target)}}
	}
	if rng.IntN(10) == 0 {
		return map[string]any{} // an artifact of which nothing is known
	}
	return f
}

// history is a seeded sequence of records, and what lives after all of them.
func history(seed uint64, records, ids int) (changes []change, live map[string]map[string]any) {
	rng := rand.New(rand.NewPCG(seed, 3))
	live = map[string]map[string]any{}
	for range records {
		i := rng.IntN(ids)
		id := fmt.Sprintf("a%d", i)
		if live[id] != nil && rng.IntN(4) == 0 {
			delete(live, id)
			changes = append(changes, change{id: id})
			continue
		}
		live[id] = invent(rng, i, ids)
		changes = append(changes, change{id, live[id]})
	}
	return changes, live
}

func liveChanges(live map[string]map[string]any) []change {
	var out []change
	for _, id := range slices.Sorted(maps.Keys(live)) {
		out = append(out, change{id, live[id]})
	}
	return out
}
