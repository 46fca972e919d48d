package pipeline

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"kilim/daemon/pipeline/listgraph"
	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// rows are the rows of lists by artifact.
func (s *site) rows() map[string]*topk.Row {
	s.t.Helper()
	out := map[string]*topk.Row{}
	s.must(s.store.View(func(r *graphstore.Reader) error {
		for id := range s.lists() {
			row, err := topk.Stored(listgraph.Reader{R: r}, uint64(graphstore.ID(graphstore.Artifact, id)))
			if err != nil {
				return err
			}
			out[id] = row
		}
		return nil
	}))
	return out
}

// updates are those of one unit.
func (s *site) updates(revision uint64) (ids []string) {
	s.t.Helper()
	for _, entry := range s.entries() {
		m, err := rerank.Decode(entry.Value)
		s.must(err)
		if m.Update != nil && m.Revision == revision {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// TestLinger: the first batch finds a state at rest, and all that it changes is published with it. What the second changes in the
// lists of others waits, and is work left; its own lists don't wait. A stop leaves the changes in their rows, from where the next
// start takes them up.
func TestLinger(t *testing.T) {
	t.Parallel()
	cfg := exact()
	cfg.Linger = time.Hour
	dir := t.TempDir()
	s, err := openSite(t, dir, cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	_, live := history(3, 200, 40)
	changes := liveChanges(live)
	first, second := changes[:20], changes[20:]
	s.must(s.apply(first))
	if n := s.engine.lists.Lingering(); n > 0 || len(s.updates(1)) != len(first) {
		t.Errorf("at rest %d changes wait, %d of %d are published", n, len(s.updates(1)), len(first))
	}
	s.must(s.apply(second))
	var want []string
	for _, c := range second {
		want = append(want, c.id)
	}
	if got := s.updates(2); !slices.Equal(got, want) {
		t.Errorf("under load the updates are of %v, want those of the batch: %v", got, want)
	}
	for more := true; more; {
		more, err = s.engine.backgroundUnit()
		s.must(err)
	}
	lingering := s.engine.lists.Lingering()
	if queue := s.engine.Status().RefreshQueue; lingering == 0 || queue != lingering {
		t.Errorf("%d changes wait, the queue is %d", lingering, queue)
	}
	s.close()
	s, err = openSite(t, dir, cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	if queue := s.engine.Status().RefreshQueue; queue != lingering {
		t.Errorf("after a restart the queue is %d, want %d", queue, lingering)
	}
	s.must(s.settle())
	if queue := s.engine.Status().RefreshQueue; queue > 0 {
		t.Errorf("settled, and the queue is %d", queue)
	}
	checkHistory(t, s.entries(), math.MaxInt, s.lists())
}

// TestFloodPublishes applies batch after batch, so that the background never gets a turn: what has lingered goes with the next
// batch.
func TestFloodPublishes(t *testing.T) {
	t.Parallel()
	cfg := exact()
	cfg.Linger = 1 // over when the next batch comes; the features that each leaves stale are the load
	s := newSite(t, cfg)
	changes, _ := history(4, 200, 45)
	waited := 0
	for chunk := range slices.Chunk(changes, 4) {
		before := s.rows()
		s.must(s.apply(chunk))
		now, revision := s.rows(), s.engine.clock.Revision
		for id, was := range before {
			if was.Pending == nil || now[id] == nil {
				continue
			}
			waited++
			if is := now[id]; is.Pending != nil || is.Revision != revision && !sameLists(is.Lists, was.Published()) {
				t.Errorf("unit %d left the change of %q waiting", revision, id)
			}
		}
	}
	if waited < 100 {
		t.Errorf("%d changes waited: the history is too quiet to tell", waited)
	}
	s.must(s.settle())
	checkHistory(t, s.entries(), math.MaxInt, s.lists())
}

// TestLingerEndsByItself: nothing but the time wakes who publishes.
func TestLingerEndsByItself(t *testing.T) {
	t.Parallel()
	cfg := exact()
	cfg.Linger = 50 * time.Millisecond
	s := newSite(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	background := make(chan error, 1)
	go func() { background <- s.engine.Background(ctx) }()
	changes, _ := history(5, 60, 30)
	for i, chunk := range slices.Collect(slices.Chunk(changes, 20)) {
		s.must(s.apply(chunk))
		await(ctx, t, fmt.Sprintf("what batch %d left is published", i), func() bool { return s.engine.Status().RefreshQueue == 0 })
	}
	cancel()
	s.must(<-background)
	checkHistory(t, s.entries(), math.MaxInt, s.lists())
}
