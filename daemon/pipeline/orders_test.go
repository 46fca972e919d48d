package pipeline

import (
	"fmt"
	"slices"
	"testing"

	"kilim/daemon/pipeline/listgraph"
	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// backwards are Orders by the length of what the document says, and then the other way round than stated.
type backwards uint64

func (b backwards) Over(state *graphstore.Reader) topk.Order { return &turned{uint64(b), state} }

type turned struct {
	ranker uint64
	state  *graphstore.Reader
}

func (o *turned) Ranker() uint64 { return o.ranker }
func (o *turned) Best() int      { return 12 }
func (o *turned) Changed(string) {}

func (o *turned) Rank(_ string, stated []rerank.Entry, size int) (out []rerank.OrderedEntry, err error) {
	for i, e := range stated[:min(o.Best(), len(stated))] {
		doc, err := o.state.Artifact(e.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, rerank.OrderedEntry{ID: e.ID, Score: float64(len(doc.Raw)%7*int(o.ranker) + i)})
	}
	slices.SortStableFunc(out, func(a, b rerank.OrderedEntry) int { return int(b.Score - a.Score) })
	return out[:min(size, len(out))], nil
}

// orderedBy wants what was told last of each artifact to be by a ranker, 0: by none, and as rows and documents say.
func (s *site) orderedBy(ranker uint64) {
	s.t.Helper()
	last, _ := s.published()
	rows := s.rows()
	s.must(s.store.View(func(r *graphstore.Reader) error {
		for id, row := range rows {
			u := last[id]
			if (u.Ordered != nil) != (ranker != 0) || u.Ordered != nil && u.Ordered.Ranker != ranker {
				s.t.Errorf("%s was told last in the order of %+v, want ranker %d", id, u.Ordered, ranker)
				continue
			}
			want := row.Lists
			if ranker != 0 {
				entries, err := backwards(ranker).Over(r).Rank(id, row.Lists.Get("total"), s.cfg.ListSize)
				if err != nil {
					return err
				}
				want = (&rerank.Ordered{Ranker: ranker, Entries: entries}).Over(row.Lists)
			}
			if rerank.Material(u.Lists, want, 0) {
				s.t.Errorf("%s was told last as %v, want %v", id, u.Lists, want)
			}
		}
		return nil
	}))
	s.must(s.engine.Check(func(fault string) { s.t.Error(fault) }))
}

// TestOrders: rankers come, follow one another and go while records come, and the state is opened again in the midst of it; at rest all that was told last is by the
// ranker of now over the documents of now, each update counts its changes from the one before, and at rest a ranker has each artifact told once.
func TestOrders(t *testing.T) {
	t.Parallel()
	s, err := openSite(t, t.TempDir(), exact(), graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	changes, _ := history(8, 120, 30)
	var orders listgraph.Orders
	for i, ranker := range []uint64{0, 5, 6, 0, 7} {
		if orders = nil; ranker != 0 {
			orders = backwards(ranker)
		}
		s.must(s.engine.SetOrders(orders))
		for range 2 {
			if _, err := s.engine.backgroundUnit(); err != nil {
				t.Fatal(err)
			}
			s.must(s.apply(changes[:12]))
			changes = changes[12:]
		}
		if i%2 == 1 {
			s = s.reopen(s.cfg)
			s.must(s.engine.SetOrders(orders))
		}
		s.must(s.settle())
		s.orderedBy(ranker)
	}
	before := s.toldOf()
	s.must(s.engine.SetOrders(backwards(8)))
	if queue := s.engine.Status().RefreshQueue; queue != len(s.lists()) {
		t.Errorf("%d lists are due, want all %d", queue, len(s.lists()))
	}
	s.must(s.settle())
	s.orderedBy(8)
	after := s.toldOf()
	for id := range s.lists() {
		if after[id] != before[id]+1 {
			t.Errorf("%s was told %d times, %d before", id, after[id], before[id])
		}
	}
	checkRevisions(t, s)
}

// toldOf is how often each artifact was told.
func (s *site) toldOf() map[string]int {
	s.t.Helper()
	n := map[string]int{}
	for _, entry := range s.entries() {
		m, err := rerank.Decode(entry.Value)
		s.must(err)
		n[m.ID]++
	}
	return n
}

// checkRevisions wants the changes of each update to be those since the one before.
func checkRevisions(t *testing.T, s *site) {
	t.Helper()
	was := map[string]rerank.Lists{}
	for _, entry := range s.entries() {
		m, err := rerank.Decode(entry.Value)
		s.must(err)
		if m.Update == nil {
			delete(was, m.ID)
			continue
		}
		if got, want := fmt.Sprint(m.Update.Changes), fmt.Sprint(rerank.DiffAll(was[m.ID], m.Update.Lists)); got != want {
			t.Errorf("%s/%d tells %s, want %s", m.ID, m.Revision, got, want)
		}
		was[m.ID] = m.Update.Lists
	}
}
