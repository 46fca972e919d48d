package topk

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"kilim/annindex"
	"kilim/rerank"
)

const dim = 6

// memory is a graph, an index and a word table of maps.
type memory struct {
	artifacts map[uint64]*Artifact
	evidence  map[uint64]*rerank.Evidence
	rows      map[uint64][]byte
	listed    map[[2]uint64]bool // (node, by)
	vectors   map[uint64][]float32
}

func newMemory() *memory {
	return &memory{artifacts: map[uint64]*Artifact{}, evidence: map[uint64]*rerank.Evidence{}, rows: map[uint64][]byte{},
		listed: map[[2]uint64]bool{}, vectors: map[uint64][]float32{}}
}

// Artifacts are the nodes from firstArtifact, entities those before.
const firstArtifact = 100

func (m *memory) NodeOf(id string) uint64 {
	n, err := strconv.ParseUint(id[1:], 10, 64)
	if err != nil {
		return 1 << 40 // whoever it is, nobody we know
	}
	return firstArtifact + n
}

func (m *memory) Artifact(node uint64) (Artifact, bool, error) {
	if a := m.artifacts[node]; a != nil {
		return *a, true, nil
	}
	return Artifact{}, false, nil
}

func (m *memory) Artifacts() int { return len(m.artifacts) }

func (m *memory) Evidence(node uint64) (*rerank.Evidence, error) {
	if e := m.evidence[node]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("no evidence of %d", node)
}

// where returns the artifacts whose evidence satisfies fn, by rising node.
func (m *memory) where(fn func(e *rerank.Evidence) bool) (nodes []uint64) {
	for _, node := range slices.Sorted(maps.Keys(m.evidence)) {
		if fn(m.evidence[node]) {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

func (m *memory) sharing(entity uint64) []uint64 {
	return m.where(func(e *rerank.Evidence) bool { return slices.Contains(e.Entities, entity) })
}

func (m *memory) linkedFrom(node uint64) []uint64 {
	return m.where(func(e *rerank.Evidence) bool { return slices.Contains(e.Links, node) })
}

func (m *memory) Entity(node uint64) (Entity, bool, error) {
	n := len(m.sharing(node))
	return Entity{Node: node, Members: n}, n > 0, nil
}

func (m *memory) Sharing(e Entity, fn func(uint64) bool) error {
	return until(m.sharing(e.Node), fn)
}

func (m *memory) LinkedFrom(node uint64, fn func(uint64) bool) error {
	return until(m.linkedFrom(node), fn)
}

func until(nodes []uint64, fn func(uint64) bool) error {
	for _, node := range nodes {
		if !fn(node) {
			break
		}
	}
	return nil
}

func (m *memory) Lists(node uint64) ([]byte, error) { return m.rows[node], nil }

func (m *memory) ListedBy(node uint64, fn func(uint64) bool) error {
	var by []uint64
	for pair := range m.listed {
		if pair[0] == node {
			by = append(by, pair[1])
		}
	}
	slices.Sort(by)
	return until(by, fn)
}

func (m *memory) eachListed(fn func(node, by uint64) bool) error {
	for pair := range m.listed {
		if !fn(pair[0], pair[1]) {
			break
		}
	}
	return nil
}

func (m *memory) PutLists(node uint64, row []byte) error {
	m.rows[node] = row
	return nil
}

func (m *memory) DeleteLists(node uint64) error {
	delete(m.rows, node)
	return nil
}

func (m *memory) SetListedBy(node, by uint64, on bool) error {
	if on {
		m.listed[[2]uint64{node, by}] = true
	} else {
		delete(m.listed, [2]uint64{node, by})
	}
	return nil
}

func (m *memory) SetDrift(node uint64, drift float64) error {
	m.artifacts[node].Drift = drift
	return nil
}

// IDF is ln((1+N)/(1+n)) + 1 over the evidence that is there.
func (m *memory) IDF(bucket uint32) float32 {
	n := len(m.where(func(e *rerank.Evidence) bool {
		return slices.ContainsFunc(e.Words, func(w rerank.Word) bool { return w.Bucket == bucket })
	}))
	return float32(math.Log(float64(1+len(m.artifacts))/float64(1+n)) + 1)
}

func (m *memory) Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error) {
	var hits []annindex.Hit
	for id, v := range m.vectors {
		if keep == nil || keep(id) {
			hits = append(hits, annindex.Hit{ID: id, Score: annindex.Dot(vec, v)})
		}
	}
	slices.SortFunc(hits, func(a, b annindex.Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return hits[:min(k, len(hits))], nil
}

func (m *memory) SearchMany(vecs [][]float32, k int) (all [][]annindex.Hit, err error) {
	for _, v := range vecs {
		hits, err := m.Search(v, k, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, hits)
	}
	return all, nil
}

func (m *memory) Vector(id uint64, out []float32) bool {
	v, ok := m.vectors[id]
	copy(out, v)
	return ok
}

// archive is a memory with the lists of what is in it, and a reader who follows what is published.
type archive struct {
	*memory
	t        *testing.T
	cfg      Config
	lists    *Lists
	mode     Mode
	now      Time
	revision uint64
	previous func(id string) (rerank.Lists, error)
	// published are the lists last told of each artifact, updates their number.
	published map[string]rerank.Lists
	updates   int
}

func newArchive(t *testing.T, cfg Config) *archive {
	a := &archive{memory: newMemory(), t: t, cfg: cfg, published: map[string]rerank.Lists{}}
	a.lists = a.open()
	return a
}

func testConfig() Config { return Config{Size: 4, Candidates: 6, RareMembers: 4, Cached: 10} }

func (a *archive) open() *Lists {
	a.t.Helper()
	scorer, err := rerank.NewScorer(rerank.DefaultScoreWeights())
	a.must(err)
	l, err := New(a.cfg, scorer, a.memory, a.memory, new(sync.Mutex))
	a.must(err)
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
		if row.Revision > 0 {
			same(a.t, artifact.ID, a.published[artifact.ID], row.Lists)
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
