package topk

import (
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"kilim/rerank"
)

// archive is a memory with the lists of what is in it, and a reader who follows what is published.
type archive struct {
	*memory
	t        *testing.T
	cfg      Config
	weights  rerank.ScoreWeights
	lists    *Lists
	mode     Mode
	now      Time
	revision uint64
	lost     uint64 // the revision up to which nothing counts as published
	// previous are the lists that an artifact whose lists were not told here was told with elsewhere, and predecessor its row there.
	previous    func(id string) (rerank.Lists, error)
	predecessor func(id string) (*Row, error)
	// publishing is the number of lists that apply takes of those not published.
	publishing int
	// early is the number of changes that apply takes of those that have waited for nearly a linger.
	early int
	// kinds is the number of kinds of artifacts, those of a kind being alike in all but the id; 0: no two are alike.
	kinds int
	// published are the lists last told of each artifact, updates their number.
	published map[string]rerank.Lists
	updates   int
	// linger is how long changes wait, at the time, and waiting what is known of those that do.
	linger, at time.Duration
	waiting    map[string]*wait
	rankers    map[string]uint64 // of what was last told
	order      *learned          // that of now, nil: none
	due        bool              // a change has waited for linger when the pass began
	// pasts are all states that were told of each artifact.
	pasts map[string][]rerank.State
}

// wait is a change that was not told yet: since when, and the artifacts with records that may have caused it.
type wait struct {
	since  time.Duration
	causes map[string]bool
}

func newArchive(t *testing.T, cfg Config) *archive {
	return newArchiveOf(t, cfg, newMemory(), rerank.DefaultScoreWeights())
}

func newArchiveOf(t *testing.T, cfg Config, m *memory, weights rerank.ScoreWeights) *archive {
	a := &archive{memory: m, t: t, cfg: cfg, weights: weights, published: map[string]rerank.Lists{}, waiting: map[string]*wait{},
		rankers: map[string]uint64{}, pasts: map[string][]rerank.State{}}
	a.lists = a.open()
	return a
}

func testConfig() Config { return Config{Size: 4, Candidates: 6, RareMembers: 4, CacheBytes: 10_000} }

func (a *archive) open() *Lists {
	a.t.Helper()
	scorer, err := rerank.NewScorer(a.weights)
	a.must(err)
	l, err := New(a.cfg, scorer, a.memory, a.memory, new(sync.Mutex))
	a.must(err)
	l.Lost(a.lost)
	loading := l.Load(a.memory)
	for node, artifact := range a.artifacts {
		a.must(loading.Artifact(node, artifact.Drift))
	}
	loading.Done()
	return l
}

func (a *archive) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *archive) begin() *Pass {
	a.revision++
	a.due = false
	for _, w := range a.waiting {
		a.due = a.due || a.at-w.since >= a.linger
	}
	return a.lists.Begin(a.memory, Unit{Mode: a.mode, Revision: a.revision, Previous: a.predecessor, At: a.at, Linger: a.linger, Order: a.ordering()})
}

// change is what a batch does to one artifact: evidence with a vector puts it, a vector alone moves it, nothing deletes it.
type change struct {
	id       string
	evidence *rerank.Evidence
	vector   []float32
}

// apply is a pass over changes, each of another artifact.
func (a *archive) apply(changes []change, budget int) {
	a.t.Helper()
	p := a.begin()
	causes := map[string]bool{}
	for _, c := range changes {
		node := a.NodeOf(c.id)
		switch {
		case c.evidence != nil:
			a.artifacts[node], a.evidence[node] = &Artifact{ID: c.id}, c.evidence
			p.Arrived(node, c.evidence, rerank.Cause{ID: c.id, TraceParent: c.id})
			causes[c.id] = true
		case c.vector == nil:
			delete(a.artifacts, node)
			delete(a.evidence, node)
			a.must(p.Departed(node, rerank.Cause{ID: c.id, TraceParent: c.id}))
			delete(a.vectors, node)
			delete(a.published, c.id)
			delete(a.waiting, c.id)
			delete(a.pasts, c.id)
			causes[c.id] = true
		}
	}
	for _, c := range changes {
		if node := a.NodeOf(c.id); c.vector != nil {
			before := a.vectors[node]
			a.artifacts[node].Embedding, a.vectors[node] = c.vector, c.vector
			a.must(p.Moved(node, distance(before, c.vector)))
		}
		a.tick()
	}
	_, err := p.Publish(a.publishing, len(a.artifacts), a.early)
	a.must(err)
	a.must(p.Rank(a.now, nil, budget))
	a.write(p, causes)
}

func (a *archive) tick() {
	a.now.Encode += 1 / float64(1+len(a.artifacts))
	a.now.Rank += 1 / float64(1+len(a.artifacts))
	a.now.Recorded = time.UnixMilli(int64(a.revision / 2 * 700)).UTC() // two units may have one date
}

func distance(a, b []float32) float64 {
	if a == nil {
		return math.Inf(1)
	}
	sum := 0.0
	for i := range a {
		sum += float64(a[i]-b[i]) * float64(a[i]-b[i])
	}
	return math.Sqrt(sum)
}

// settle runs passes of n artifacts until nothing is stale.
func (a *archive) settle(n int) {
	a.t.Helper()
	for range 10_000 {
		nodes := a.lists.TakeStale(n, a.now.Rank)
		if len(nodes) == 0 {
			return
		}
		p := a.begin()
		moving, err := p.TakeMoved(nodes)
		a.must(err)
		if len(moving) > 0 {
			a.now.Rank += 1e-9
		} else {
			a.must(p.Recompute(a.now, nodes))
		}
		a.must(p.Rank(a.now, moving, n))
		a.write(p, nil)
	}
	a.t.Fatal("the archive does not come to rest")
}

// write ends a pass and holds it to what every pass guarantees. causes are the artifacts that it brought or took.
func (a *archive) write(p *Pass, causes map[string]bool) {
	a.t.Helper()
	told, others, stored, early := map[string]bool{}, false, a.stored(), 0
	a.must(p.Write(func(u *rerank.Update) error {
		a.updates++
		if told[u.ID] || u.Revision != a.revision || a.mode != Serving {
			a.t.Errorf("update %s/%d of unit %d, mode %d, told before: %v", u.ID, u.Revision, a.revision, a.mode, told[u.ID])
		}
		told[u.ID] = true
		if others = others || !causes[u.ID]; others && causes[u.ID] {
			a.t.Errorf("the newcomer %s comes after others", u.ID)
		}
		before, ok := a.published[u.ID]
		anew := a.reordered(u)
		if ok && !anew && !rerank.Material(before, u.Lists, a.cfg.Tolerance) {
			a.t.Errorf("%s is published and has not changed", u.ID)
		}
		if !ok && a.previous != nil {
			var err error
			before, err = a.previous(u.ID)
			a.must(err)
		}
		same(a.t, u.ID, u.Changes, rerank.DiffAll(before, u.Lists))
		if a.checkWait(u, ok && !anew, causes) {
			early++
		}
		a.checkCause(u, causes)
		a.remember(u)
		a.published[u.ID] = u.Lists
		return nil
	}))
	if early > a.early {
		a.t.Errorf("%d changes are told early, want %d at most", early, a.early)
	}
	check := a.lists.Check(a.memory, a.ordering(), a.revision, func(fault string) { a.t.Error(fault) })
	for node, artifact := range a.artifacts {
		a.must(check.Artifact(node, artifact.ID))
	}
	check.Done()
	if len(a.rows) != len(a.artifacts) {
		a.t.Errorf("%d rows for %d artifacts", len(a.rows), len(a.artifacts))
	}
	now := a.stored()
	for id, row := range now {
		if row.Revision > a.lost {
			same(a.t, id, withoutParts(a.published[id], row.Ordered).Marshal(), withoutParts(row.Published(), row.Ordered).Marshal())
		}
		a.follow(id, stored[id], row, causes)
		if row.Pending == nil && a.lists.isTold(row, row) && rerank.Material(a.published[id], a.toTell(id, row), a.cfg.Tolerance) {
			a.t.Errorf("%s has changed since it was told, and is not told", id)
		}
		if was := stored[id]; was == nil || was.Revision != row.Revision {
			a.checkPast(id, row)
		}
	}
	if n := a.lists.Lingering(); a.lost == 0 && n != len(a.waiting) {
		a.t.Errorf("%d changes linger, want %d", n, len(a.waiting))
	}
}

// stored are the rows by their artifacts.
func (a *archive) stored() map[string]*Row {
	a.t.Helper()
	out := make(map[string]*Row, len(a.artifacts))
	for node, artifact := range a.artifacts {
		row, err := Stored(a.memory, node)
		a.must(err)
		if row != nil {
			out[artifact.ID] = row
		}
	}
	return out
}

// checkWait wants what no record brought to be told when it has waited for half a linger, and something for a whole one; else it is early, and
// has waited for three quarters.
func (a *archive) checkWait(u *rerank.Update, known bool, causes map[string]bool) (early bool) {
	a.t.Helper()
	if a.linger == 0 || causes[u.ID] || !known {
		return false
	}
	least := a.linger / 2
	if !a.due {
		least = a.linger * 3 / 4
	}
	if w := a.waiting[u.ID]; w == nil || a.at-w.since <= least {
		a.t.Errorf("%s is told at %v, waiting: %+v", u.ID, a.at, w)
	}
	return !a.due
}

// follow notes what waits in a row after a pass, and wants it to have waited no longer than it may.
func (a *archive) follow(id string, before, now *Row, causes map[string]bool) {
	a.t.Helper()
	if now.Pending == nil {
		delete(a.waiting, id)
		return
	}
	w := a.waiting[id]
	if w == nil {
		w = &wait{a.at, map[string]bool{}}
		a.waiting[id] = w
	}
	if !reflect.DeepEqual(before.Lists, now.Lists) || now.Again {
		for _, lists := range []rerank.Lists{before.Lists, now.Lists} {
			lists.Members(func(member string) {
				if causes[member] {
					w.causes[member] = true
				}
			})
		}
	}
}

// lingered wants no change to have waited for a linger.
func (a *archive) lingered() {
	a.t.Helper()
	for id, w := range a.waiting {
		if a.at-w.since >= a.linger {
			a.t.Errorf("%s waits at %v since %v, not less than %v", id, a.at, w.since, a.linger)
		}
	}
}

// restart goes on with lists that were opened again.
func (a *archive) restart(lists *Lists) {
	a.lists, a.at = lists, 0
	for _, w := range a.waiting {
		w.since = 0
	}
}

// flush has told what waits, as where there is no load.
func (a *archive) flush() {
	a.t.Helper()
	linger := a.linger
	a.linger = 0
	p := a.begin()
	_, err := p.Publish(0, len(a.artifacts), 0)
	a.must(err)
	a.must(p.Rank(a.now, nil, 0))
	a.write(p, nil)
	a.linger = linger
	for id, row := range a.stored() {
		if row.Pending != nil || a.lists.Lingering() > 0 {
			a.t.Errorf("the change of %s waits, nobody knows for what", id)
		}
	}
}

// checkCause wants all that a change is due to, and nothing else.
func (a *archive) checkCause(u *rerank.Update, causes map[string]bool) {
	a.t.Helper()
	want := map[string]bool{}
	if causes[u.ID] {
		want[u.ID] = true
	}
	for _, c := range u.Changes {
		for _, id := range slices.Concat(c.Entered, c.Left, c.Moved) {
			if w := a.waiting[u.ID]; causes[id] || w != nil && w.causes[id] {
				want[id] = true
			}
		}
	}
	if !slices.Equal(slices.Sorted(slices.Values(u.Cause)), slices.Sorted(maps.Keys(want))) {
		a.t.Errorf("%s: the cause is %v, want %v", u.ID, u.Cause, want)
	}
	if len(u.Cause) > 0 && u.TraceParent != u.Cause[0] {
		a.t.Errorf("%s: trace %q, want that of %s", u.ID, u.TraceParent, u.Cause[0])
	}
}

// invent makes an artifact among ids, of some kind. The first kind has no evidence.
func (a *archive) invent(rng *rand.Rand, id string, ids int) change {
	if a.kinds == 0 {
		return invent(rng, a.NodeOf(id), id, ids)
	}
	kind := rng.IntN(a.kinds)
	c := invent(rand.New(rand.NewPCG(uint64(kind), 99)), a.NodeOf(id), id, ids)
	if kind == 0 {
		c.evidence = &rerank.Evidence{ID: id, Node: c.evidence.Node, Begin: math.NaN(), End: math.NaN()}
	}
	return c
}

// invent makes the evidence and the embedding of an artifact among ids.
func invent(rng *rand.Rand, node uint64, id string, ids int) change {
	e := &rerank.Evidence{ID: id, Node: node, Begin: math.NaN(), End: math.NaN()}
	for n := range uint64(8) {
		if rng.IntN(5) == 0 {
			e.Entities = append(e.Entities, n)
		}
	}
	if target := rng.IntN(ids); rng.IntN(3) == 0 && firstArtifact+uint64(target) != node {
		e.Links = []uint64{firstArtifact + uint64(target)}
	}
	for bucket := range uint32(9) {
		if rng.IntN(3) == 0 {
			e.Words = append(e.Words, rerank.Word{Bucket: bucket, Count: uint16(1 + rng.IntN(3))})
		}
	}
	if rng.IntN(2) == 0 {
		e.Begin, e.End = 1500+float64(rng.IntN(100)), 1600+float64(rng.IntN(100))
	}
	return change{id: id, evidence: e, vector: unit(rng)}
}

func unit(rng *rand.Rand) []float32 {
	v, sum := make([]float32, dim), 0.0
	for i := range v {
		x := rng.NormFloat64()
		v[i] = float32(x)
		sum += x * x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}
