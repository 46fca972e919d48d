package topk

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kilim/rerank"
)

// TestCheckFindsDamage damages one thing at a time and wants a sentence about it.
func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	lists := func(change func(r *Row)) func(a *archive, node uint64) {
		return func(a *archive, node uint64) {
			row, err := Stored(a.memory, node)
			a.must(err)
			change(row)
			a.rows[node] = row.Marshal()
		}
	}
	for want, damage := range map[string]func(a *archive, node uint64){
		"is out of order": lists(func(r *Row) { e := r.Lists[0].Entries; e[0], e[1] = e[1], e[0] }),
		`total list names "a99", which does not exist`: lists(func(r *Row) { r.Lists[0].Entries[0].ID = "a99" }),
		"list names the artifact itself": func(a *archive, node uint64) {
			lists(func(r *Row) { r.Lists[1].Entries[0].ID = a.artifacts[node].ID })(a, node)
		},
		"general list of 5 entries, at most 4 are allowed": lists(func(r *Row) {
			r.Lists[1].Entries = append(r.Lists[1].Entries, r.Lists[1].Entries[0])
		}),
		"is noted as a holder of": lists(func(r *Row) { r.Lists = nil }),
		"is not noted as its holder": func(a *archive, node uint64) {
			for listed := range a.artifacts {
				a.lists.holders.set(listed, node, false)
			}
		},
		"no lists":                  func(a *archive, node uint64) { delete(a.rows, node) },
		"list row of version 1":     func(a *archive, node uint64) { a.rows[node][0] = 1 },
		"list row of 2 bytes":       func(a *archive, node uint64) { a.rows[node] = []byte{rowVersion, 2} },
		"lists of revision 1000, ":  lists(func(r *Row) { r.Revision = 1000 }),
		"lists of revision 0, the ": lists(func(r *Row) { r.Revision = 0 }),
		"its row says of a change that it waits to be published: true": lists(func(r *Row) { r.Pending = new(rerank.Pending) }),
		"its row says of a change that it waits to be published: false": func(a *archive, node uint64) {
			a.lists.lingering.add(node, 0)
		},
		"a change waits to be published of lists that were never published": lists(func(r *Row) {
			r.Revision, r.Pending = 0, new(rerank.Pending)
		}),
		"a change waits to be published, and there is none": lists(func(r *Row) { r.Pending = &rerank.Pending{Before: r.Lists} }),
		"is by its own record": func(a *archive, node uint64) {
			lists(func(r *Row) { r.Pending = &rerank.Pending{Causes: []rerank.Cause{{ID: a.artifacts[node].ID}}} })(a, node)
		},
		"a history of 0 bytes of lists that were published": lists(func(r *Row) { r.History = nil }),
		"history: version: is 9":                            lists(func(r *Row) { r.History[0] = 9 }),
		"history: change":                                   lists(func(r *Row) { r.History = append(r.History, 1) }),
		"101 causes of a change":                            lists(func(r *Row) { r.Pending = &rerank.Pending{Causes: make([]rerank.Cause, 101)} }),
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(7, 7))
			a := newArchive(t, testConfig())
			for range 20 {
				a.apply(a.batch(rng, 25), 10)
			}
			damage(a, slices.Min(slices.Collect(maps.Keys(a.artifacts))))
			var faults []string
			check := a.lists.Check(a.memory, nil, a.revision, func(f string) { faults = append(faults, f) })
			for node, artifact := range a.artifacts {
				a.must(check.Artifact(node, artifact.ID))
			}
			check.Done()
			if !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, want) }) {
				t.Errorf("no fault with %q in %q", want, faults)
			}
		})
	}
}
