package topk

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

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
	previous func(id string) (rerank.Lists, error)
	// publishing is the number of lists that apply takes of those not published.
	publishing int
	// kinds is the number of kinds of artifacts, those of a kind being alike in all but the id; 0: no two are alike.
	kinds int
	// published are the lists last told of each artifact, updates their number.
	published map[string]rerank.Lists
	updates   int
}

func newArchive(t *testing.T, cfg Config) *archive {
	return newArchiveOf(t, cfg, newMemory(), rerank.DefaultScoreWeights())
}

func newArchiveOf(t *testing.T, cfg Config, m *memory, weights rerank.ScoreWeights) *archive {
	a := &archive{memory: m, t: t, cfg: cfg, weights: weights, published: map[string]rerank.Lists{}}
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
	loading := l.Load()
	for node, artifact := range a.artifacts {
		a.must(loading.Artifact(node, artifact.Drift, a.rows[node]))
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
	return a.lists.Begin(a.memory, Unit{Mode: a.mode, Revision: a.revision, Previous: a.previous})
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
			p.Arrived(node, c.evidence, Cause{TraceParent: c.id})
			causes[c.id] = true
		case c.vector == nil:
			delete(a.artifacts, node)
			delete(a.evidence, node)
			a.must(p.Departed(node, c.id, Cause{TraceParent: c.id}))
			delete(a.vectors, node)
			delete(a.published, c.id)
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
	_, err := p.Publish(a.publishing)
	a.must(err)
	a.must(p.Rank(a.now, nil, budget))
	a.write(p, causes)
}

func (a *archive) tick() {
	a.now.Encode += 1 / float64(1+len(a.artifacts))
	a.now.Rank += 1 / float64(1+len(a.artifacts))
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
	told, others := map[string]bool{}, false
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
		if ok && !rerank.Material(before, u.Lists, a.cfg.Tolerance) {
			a.t.Errorf("%s is published and has not changed", u.ID)
		}
		if !ok && a.previous != nil {
			var err error
			before, err = a.previous(u.ID)
			a.must(err)
		}
		same(a.t, u.ID, u.Changes, rerank.DiffAll(before, u.Lists))
		a.checkCause(u, causes)
		a.published[u.ID] = u.Lists
		return nil
	}))
	check := a.lists.Check(a.memory, a.revision, func(fault string) { a.t.Error(fault) })
	for node, artifact := range a.artifacts {
		a.must(check.Artifact(node, artifact.ID))
	}
	a.must(check.Done(a.eachListed))
	if len(a.rows) != len(a.artifacts) {
		a.t.Errorf("%d rows for %d artifacts", len(a.rows), len(a.artifacts))
	}
	for node, artifact := range a.artifacts {
		row, err := Stored(a.memory, node)
		a.must(err)
		if row.Revision > a.lost {
			same(a.t, artifact.ID, a.published[artifact.ID].Marshal(), row.Lists.Marshal())
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
			if causes[id] {
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
