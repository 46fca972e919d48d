package pipeline

import (
	"slices"
	"strings"
	"testing"

	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// TestCheckFindsDamage damages one thing at a time in a state at rest and wants a sentence about it.
func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	type edit func(s *site, tx *graphstore.Tx, n *graphstore.Node) error
	node := func(change func(n *graphstore.Node)) edit {
		return func(s *site, tx *graphstore.Tx, n *graphstore.Node) error {
			edited, err := tx.Edit(n.ID)
			if err == nil {
				change(edited)
			}
			return err
		}
	}
	lists := func(change func(total, general []rerank.Entry) rerank.Lists) edit {
		return func(s *site, tx *graphstore.Tx, n *graphstore.Node) error {
			b, err := tx.Lists(n.ID)
			if err != nil {
				return err
			}
			var row topk.Row
			if err := row.Unmarshal(b); err != nil {
				return err
			}
			row.Lists = change(row.Lists.Get(rerank.ListTotal), row.Lists.Get(rerank.ListGeneral))
			return tx.PutLists(n.ID, row.Marshal())
		}
	}
	for _, tt := range []struct {
		want   string
		damage edit
	}{
		{"its embedding is", node(func(n *graphstore.Node) { n.Embedding[0] += 0.01 })},
		{"an embedding of", node(func(n *graphstore.Node) { n.Embedding = n.Embedding[1:] })},
		{"the running sum of its neighbours' features", node(func(n *graphstore.Node) {
			n.Sum1 = slices.Clone(n.Sum1)
			n.Sum1 = append(n.Sum1, 1)
		})},
		{"the running sum of its neighbours' vectors", node(func(n *graphstore.Node) { n.Sum2 = append(slices.Clone(n.Sum2), 1) })},
		{"degree", node(func(n *graphstore.Node) { n.Degree++ })},
		{"is out of order", lists(func(total, general []rerank.Entry) rerank.Lists {
			total[0], total[1] = total[1], total[0]
			return both(total, general)
		})},
		{"total list names \"nobody\", which does not exist", lists(func(total, general []rerank.Entry) rerank.Lists {
			total[0].ID = "nobody"
			return both(total, general)
		})},
		{"at most 5 are allowed", lists(func(total, general []rerank.Entry) rerank.Lists {
			return both(total, append(general, general[0]))
		})},
		{"is noted as a holder of", lists(func(_, _ []rerank.Entry) rerank.Lists { return both(nil, nil) })},
		{"is not noted as its holder", lists(func(_, general []rerank.Entry) rerank.Lists {
			return both([]rerank.Entry{{ID: "somebody"}}, general)
		})},
		{"no lists", func(_ *site, tx *graphstore.Tx, n *graphstore.Node) error { return tx.DeleteLists(n.ID) }},
		{"list row", func(_ *site, tx *graphstore.Tx, n *graphstore.Node) error { return tx.PutLists(n.ID, []byte{1, 2}) }},
		{"document frequency of term 5", func(_ *site, tx *graphstore.Tx, _ *graphstore.Node) error {
			return tx.AddTerms(map[uint32]int32{5: 1})
		}},
		{"outbox message", func(_ *site, tx *graphstore.Tx, _ *graphstore.Node) error {
			_, err := tx.Enqueue([]byte("no message"))
			return err
		}},
		{"index", func(s *site, _ *graphstore.Tx, n *graphstore.Node) error {
			s.engine.index.Delete(uint64(n.ID))
			return nil
		}},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			s, err := openSite(t, t.TempDir(), exact(), graphstore.Options{SyncWrites: graphstore.NoSync})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { s.must(s.store.Close()) }()
			changes, live := history(11, 30, 15)
			s.must(s.apply(changes))
			s.must(s.settle())
			s.must(s.engine.Check(func(p string) { t.Errorf("before: %s", p) }))
			var victim *graphstore.Node
			s.must(s.store.View(func(r *graphstore.Reader) (err error) {
				for _, c := range liveChanges(live) {
					if victim, err = stored(r, c.id); err != nil || len(s.lists()[c.id].Get(rerank.ListTotal)) == 5 {
						return err
					}
				}
				return nil
			}))
			tx := s.store.Begin()
			s.must(tt.damage(s, tx, victim))
			s.must(tx.Commit())
			var problems []string
			s.must(s.engine.Check(func(p string) { problems = append(problems, p) }))
			if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, tt.want) }) {
				t.Errorf("no fault with %q in %q", tt.want, problems)
			}
		})
	}
}
