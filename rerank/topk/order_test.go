package topk

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kilim/rerank"
)

// learned is an Order by the stated score, a number of each artifact's record and, as margins do, by who else is in the list.
type learned struct {
	name  uint64
	best  int
	facts map[string]int // by id, as the records have them
	ranks int
}

func (o *learned) Ranker() uint64 { return o.name }
func (o *learned) Best() int      { return o.best }
func (o *learned) Changed(string) {}

func (o *learned) Rank(id string, stated []rerank.Entry, size int) ([]rerank.OrderedEntry, error) {
	o.ranks++
	return o.rank(id, stated, size), nil
}

func (o *learned) rank(id string, stated []rerank.Entry, size int) []rerank.OrderedEntry {
	var out []rerank.OrderedEntry
	for i, e := range stated[:min(o.best, len(stated))] {
		own := float64((uint64(o.facts[e.ID]*31+o.facts[id]*7+len(stated))*o.name)%64)/64 - float64(i)/256
		of := float64(int(e.Score*1024)) / 1024
		out = append(out, rerank.OrderedEntry{ID: e.ID, Score: own + of, Parts: []rerank.OrderedPart{{Name: "own", Value: own}, {Name: "stated", Value: of}}})
	}
	slices.SortStableFunc(out, func(x, y rerank.OrderedEntry) int { return cmp.Compare(y.Score, x.Score) })
	return out[:min(size, len(out))]
}

// ordering is the Order of now, nil: none.
func (a *archive) ordering() Order {
	if a.order == nil {
		return nil
	}
	return a.order
}

// toTell is what a row is to be told as.
func (a *archive) toTell(id string, row *Row) rerank.Lists {
	if a.order == nil || a.lists.isShallow(row) {
		return row.Lists
	}
	o := rerank.Ordered{Ranker: a.order.name, Entries: a.order.rank(id, row.Lists.Get(rerank.ListTotal), int(row.Size))}
	return o.Over(row.Lists)
}

// deep is the most entries that a list total has.
func (a *archive) deep() int {
	if a.order == nil {
		return a.cfg.Size
	}
	return max(a.cfg.Size, a.order.best)
}

// reordered notes who ordered what is told, and tells whether that is another than before.
func (a *archive) reordered(u *rerank.Update) bool {
	ranker := uint64(0)
	if u.Ordered != nil {
		ranker = u.Ordered.Ranker
		for i, e := range u.Ordered.Entries {
			sum := 0.0
			for _, p := range e.Parts {
				sum += p.Value
			}
			if total := u.Lists.Get(rerank.ListTotal); sum != e.Score || total[i].ID != e.ID || total[i].Score != float32(e.Score) || len(total) != len(u.Ordered.Entries) {
				a.t.Errorf("%s: %+v is told, of parts that sum to %v, as %+v", u.ID, e, sum, total[i])
			}
		}
	}
	was := a.rankers[u.ID]
	a.rankers[u.ID] = ranker
	return was != ranker
}

// withoutParts are lists as they are compared where an Order made one of them: its entries have the parts of when it was told last, or ordered to the same.
func withoutParts(lists rerank.Lists, ordered *rerank.Ordered) rerank.Lists {
	if ordered == nil {
		return lists
	}
	out := slices.Clone(lists)
	for i := range out {
		out[i].Entries = slices.Clone(out[i].Entries)
		for j := range out[i].Entries {
			out[i].Entries[j].Parts = rerank.Parts{}
		}
	}
	return out
}

// inOrder wants what was told of each artifact to be the first of the order of now over the best of all others.
func (a *archive) inOrder(what string) {
	a.t.Helper()
	a.counts()
	for node, artifact := range a.artifacts {
		exact := a.oracle(node)
		row, err := Stored(a.memory, node)
		a.must(err)
		same(a.t, fmt.Sprintf("%s: what is stored of %s", what, artifact.ID), scores(row.Lists.Get("total")), scores(exact.Get("total")))
		if a.order == nil {
			same(a.t, fmt.Sprintf("%s: what is told of %s", what, artifact.ID), scores(a.published[artifact.ID].Get("total")), scores(exact.Get("total")))
			continue
		}
		want := &rerank.Ordered{Ranker: a.order.name, Entries: a.order.rank(artifact.ID, exact.Get("total"), a.cfg.Size)}
		same(a.t, fmt.Sprintf("%s: what is told of %s", what, artifact.ID), scores(a.published[artifact.ID].Get("total")), scores(want.Over(exact).Get("total")))
		same(a.t, fmt.Sprintf("%s: the general list of %s", what, artifact.ID), scores(a.published[artifact.ID].Get("general")), scores(exact.Get("general")))
		if a.rankers[artifact.ID] != a.order.name {
			a.t.Errorf("%s: the list of %s is of ranker %d, want %d", what, artifact.ID, a.rankers[artifact.ID], a.order.name)
		}
	}
}

// published has all lists told that are not.
func (a *archive) tellAll() {
	a.t.Helper()
	for a.lists.Unpublished() > 0 {
		p := a.begin()
		_, err := p.Publish(7, 0, 0)
		a.must(err)
		a.must(p.Rank(a.now, nil, 0))
		a.write(p, nil)
	}
}

// remembers wants the history of each artifact that another ranker alone has told anew to end with the order of before and that of now, by nobody's record.
func (a *archive) remembers(ranker uint64, was map[string]rerank.Lists) {
	a.t.Helper()
	ids := func(entries []rerank.Entry) (ids []string) {
		for _, e := range entries {
			ids = append(ids, e.ID)
		}
		return ids
	}
	others := 0
	for id, row := range a.stored() {
		before, now := ids(was[id].Get(rerank.ListTotal)), ids(a.published[id].Get(rerank.ListTotal))
		if slices.Equal(before, now) {
			continue
		}
		others++
		past, err := row.Past(id)
		a.must(err)
		n := len(past.States)
		if n < 2 {
			a.t.Errorf("ranker %d: the history of %s has %d states", ranker, id, n)
			continue
		}
		last, next := past.States[n-1], past.States[n-2]
		same(a.t, id+" in its history, now", last.IDs(rerank.ListTotal), now)
		same(a.t, id+" in its history, before", next.IDs(rerank.ListTotal), before)
		if len(last.Cause) > 0 {
			a.t.Errorf("ranker %d: the order of %s is by the records of %q", ranker, id, last.Cause)
		}
	}
	if others < len(a.artifacts)/2 {
		a.t.Errorf("ranker %d: %d of %d artifacts have another order", ranker, others, len(a.artifacts))
	}
}

// newOrderArchive is one in which nothing but records changes a score, and nobody is missed.
func newOrderArchive(t *testing.T) *archive {
	cfg := testConfig()
	cfg.Sweep, cfg.ExactBytes = 1e9, exactBytes
	m := newMemory()
	m.steady = true
	return newArchiveOf(t, cfg, m, rerank.ScoreWeights{Cosine: 0.5, Words: 0.3, Date: 0.1, Link: 0.1, DateScale: 50})
}

// TestOrderOracle: in a stream of records with a ranker, what was told last of each artifact is after each batch the learned order over the exact best, where
// changes don't wait; where they do, it is when they have been told. Rankers come, are replaced and go in the midst of it, and the process ends in the midst of that.
func TestOrderOracle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			thin(t, seed)
			rng := rand.New(rand.NewPCG(seed, 53))
			a := newOrderArchive(t)
			facts, atRest := map[string]int{}, true
			for step := range 30 {
				batch := a.batch(rng, 30)
				moves := false // which are carried to the lists of others by later passes
				for i := range batch {
					c := &batch[i]
					moves = moves || c.evidence == nil && c.vector != nil
					if c.evidence != nil {
						facts[c.id] = rng.IntN(50)
						if old := a.evidence[a.NodeOf(c.id)]; old != nil && rng.IntN(2) == 0 { // a record that changes what the order reads alone
							c.evidence, c.vector = old, a.vectors[a.NodeOf(c.id)]
						}
					}
				}
				if a.linger, a.early = 0, rng.IntN(4); rng.IntN(3) == 0 {
					a.linger = 3 * time.Second
				}
				a.at += time.Second
				a.apply(batch, 1000)
				if atRest && a.linger == 0 && !moves {
					a.inOrder(fmt.Sprint("after batch ", step))
				}
				switch rng.IntN(6) {
				case 0:
					a.order = nil
				case 1, 2:
					a.order = &learned{name: 1 + rng.Uint64N(2), best: 9, facts: facts}
				case 3:
					a.restart(a.open())
				}
				if atRest = rng.IntN(3) > 0; atRest { // else the next record, or ranker, comes in the midst of it
					a.settle(1 + rng.IntN(5))
					a.lists.Follow(a.ordering())
					a.settle(100)
					a.tellAll()
					a.flush()
					a.inOrder(fmt.Sprint("step ", step))
				}
			}
		})
	}
}

// TestAnotherOrderTellsEachOnce: another ranker, the first and the last one too, has each artifact told exactly once, by the updates that name it, however the
// work is interrupted; one that comes back before all are told has nobody told who was not.
func TestAnotherOrderTellsEachOnce(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 59))
	a := newOrderArchive(t)
	facts := map[string]int{}
	for i := range 40 {
		id := fmt.Sprintf("a%d", i)
		facts[id] = rng.IntN(50)
		a.apply([]change{invent(rng, a.NodeOf(id), id, 40)}, 100)
	}
	for _, name := range []uint64{5, 6, 0, 7} {
		if a.order = nil; name > 0 {
			a.order = &learned{name: name, best: 9, facts: facts}
		}
		before, was := a.updates, maps.Clone(a.published)
		a.lists.Follow(a.ordering())
		a.settle(3)
		p := a.begin()
		_, err := p.Publish(11, 0, 0)
		a.must(err)
		a.must(p.Rank(a.now, nil, 0))
		a.write(p, nil)
		a.restart(a.open()) // in the midst of it
		a.settle(3)
		a.lists.Follow(a.ordering())
		a.tellAll()
		if told := a.updates - before; told != len(a.artifacts) {
			t.Errorf("ranker %d: %d updates of %d artifacts", name, told, len(a.artifacts))
		}
		a.inOrder(fmt.Sprint("ranker ", name))
		a.remembers(name, was)
	}
	before := a.updates
	seven := a.order
	a.order = &learned{name: 8, best: 9, facts: facts}
	p := a.begin()
	_, err := p.Publish(5, 0, 0)
	a.must(err)
	a.must(p.Rank(a.now, nil, 0))
	a.write(p, nil)
	a.order = seven
	a.lists.Follow(a.order)
	a.tellAll()
	if told := a.updates - before; told != 10 {
		t.Errorf("%d updates of five artifacts that were told by a ranker that went", told)
	}
	a.inOrder("in the end")
}

// TestToldWhenOrderedOtherwise: with a ranker and a tolerance, an artifact is told when, and only when, what it was told as is not what it would be told as now. Embeddings
// move in steps that are within the tolerance, so that changes which are not told add up; archive.write compares each row after each pass.
func TestToldWhenOrderedOtherwise(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			thin(t, seed)
			rng := rand.New(rand.NewPCG(seed, 61))
			a := newOrderArchive(t)
			a.cfg.Tolerance = 0.05
			a.lists = a.open()
			a.order = &learned{name: 1, best: 9, facts: map[string]int{}}
			const artifacts = 16
			for i := range artifacts {
				id := fmt.Sprintf("a%d", i)
				a.order.facts[id] = rng.IntN(50)
				a.apply([]change{invent(rng, a.NodeOf(id), id, artifacts)}, 100)
			}
			a.settle(100)
			written, told := 0, a.updates
			for range 60 {
				id := fmt.Sprintf("a%d", rng.IntN(artifacts))
				c := change{id: id, evidence: a.evidence[a.NodeOf(id)], vector: nudged(rng, a.vectors[a.NodeOf(id)])}
				if a.linger = 0; rng.IntN(3) == 0 {
					a.linger = time.Second
				}
				a.at += time.Second / 4
				before := a.stored()
				a.apply([]change{c}, 100)
				for id, row := range a.stored() {
					if rerank.Material(before[id].Lists, row.Lists, 0) {
						written++
					}
				}
			}
			a.flush()
			if told = a.updates - told; told < 50 || written < told+50 {
				t.Errorf("%d changes of rows, %d updates: they can't be told apart", written, told)
			}
		})
	}
}

// nudged is a unit vector a little off another.
func nudged(rng *rand.Rand, v []float32) []float32 {
	out, sum := slices.Clone(v), 0.0
	for i := range out {
		out[i] += float32(0.03 * rng.NormFloat64())
		sum += float64(out[i]) * float64(out[i])
	}
	for i := range out {
		out[i] /= float32(math.Sqrt(sum))
	}
	return out
}
