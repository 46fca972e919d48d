package refresh

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kilim/graphstore"
	"kilim/learner/model/infer"
	"kilim/learner/tensor/sparse"
)

// world is a store with a Refresher, driven as package pipeline drives it.
type world struct {
	t     *testing.T
	store *graphstore.Store
	r     *Refresher
	kind  kind
}

// kind is of a model.
type kind struct {
	// oneWay: it does not read whom an artifact links to.
	oneWay bool
	// layers are 2 where it says nothing.
	layers int
	// attends: neighbours and relations are weighted, by vectors that tell them apart.
	attends bool
	// media: what artifacts hold are nodes.
	media bool
}

var threeLayers = kind{layers: 3}

// oneWay is a model that reads links from their targets alone.
type oneWay struct{ *infer.Model }

func (oneWay) Gathers(relation int) bool { return relation != RelationIndex(graphstore.RelLink) }

func newWorld(t *testing.T, epsilon float32) *world { return newWorldOf(t, epsilon, kind{}) }

func newWorldOf(t *testing.T, epsilon float32, of kind) *world {
	t.Helper()
	store, err := graphstore.Open(t.TempDir(), graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store, kind: of}
	w.reopen(epsilon)
	t.Cleanup(func() {
		w.check()
		if err := store.Check(func(p string) { t.Error(p) }); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

const labelDim = 16

type hashLabeler struct{}

func (hashLabeler) Label(label string) sparse.Vector {
	id := graphstore.ID(graphstore.Culture, label)
	rng := rand.New(rand.NewPCG(uint64(id), 7))
	out := make([]float32, labelDim)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
	}
	return sparse.NonZeros(out)
}

// reopen makes the Refresher anew from what the store has, as after a crash.
func (w *world) reopen(epsilon float32) {
	w.t.Helper()
	model := w.kind.model(w.t)
	var served Model = model
	if w.kind.oneWay {
		served = oneWay{model}
	}
	var pending []graphstore.Push
	if err := w.store.View(func(r *graphstore.Reader) (err error) {
		pending, err = r.Pushes()
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	r, err := New(Config{Epsilon: epsilon, MediaNodes: w.kind.media}, served, hashLabeler{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.r = r
	w.r.Load(pending)
}

// batch replaces (or, with nil, deletes) artifacts and refreshes within budget.
func (w *world) batch(changes map[string]*artifact, budget int) []Moved {
	w.t.Helper()
	tx := w.store.Begin()
	defer tx.Discard()
	p := w.r.Begin(tx)
	must := func(err error) {
		if err != nil {
			w.t.Helper()
			w.t.Fatal(err)
		}
	}
	ids := slices.Sorted(maps.Keys(changes))
	for _, id := range ids {
		a, node := changes[id], graphstore.ID(graphstore.Artifact, id)
		if a != nil && a.before != nil {
			for _, e := range without(node, a.before, a.edges) {
				must(p.Disconnect(e))
			}
		} else {
			must(p.Detach(node))
		}
		if a == nil {
			change, err := tx.DeleteArtifact(id)
			must(err)
			must(p.Forget(change.GoneNodes))
			must(p.Departed(node))
			continue
		}
		if a.answered {
			continue // its record is the one that it has
		}
		change, err := tx.PutArtifact(graphstore.Doc{ID: id, Raw: []byte("{}"), Timestamp: time.Unix(1, 0)}, a.edges)
		must(err)
		must(p.Forget(change.GoneNodes))
		if a.before != nil {
			for _, e := range without(node, a.edges, a.before) {
				must(p.Connect(e))
			}
		}
	}
	for _, id := range ids {
		if a := changes[id]; a != nil && a.before == nil {
			must(p.Hold(tx, graphstore.ID(graphstore.Artifact, id), contentsOf(a.holds)))
			must(p.Attach(graphstore.ID(graphstore.Artifact, id), w.r.Inputs([]infer.Features{a.features(id)})[0]))
		}
	}
	moved, err := p.Embed(budget)
	must(err)
	must(tx.Commit())
	return moved
}

func (w *world) settle() {
	w.t.Helper()
	for i := 0; w.r.Pending() > 0; i++ {
		if i > 10000 {
			w.t.Fatal("the refresh does not come to rest")
		}
		w.batch(nil, 7)
	}
}

func (w *world) check() {
	w.t.Helper()
	if err := w.store.View(func(r *graphstore.Reader) error {
		return w.r.Check(r, func(p string) { w.t.Error(p) })
	}); err != nil {
		w.t.Error(err)
	}
}

// vectors returns all nodes of the graph by type and key.
func (w *world) vectors() map[string]graphstore.Node {
	w.t.Helper()
	out := map[string]graphstore.Node{}
	if err := w.store.View(func(r *graphstore.Reader) error {
		return r.EachNode(func(n *graphstore.Node) bool {
			out[n.Type.String()+"/"+n.Key] = *n
			return true
		})
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestOrderLeavesNoTrace is the guarantee of epsilon 0: after any history the vectors are, bit for bit, those of a
// store that got what lives in one batch.
func TestOrderLeavesNoTrace(t *testing.T) {
	t.Parallel()
	for seed := range uint64(26) {
		if testing.Short() && seed%3 != 1 {
			continue // a history runs on one goroutine, where the race detector finds little
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 2))
			of := kind{oneWay: seed%2 == 1, layers: 2 + int(seed/12)}
			if seed >= 18 {
				of = kind{oneWay: seed == 19, layers: 2 + int(seed/20), attends: true}
			}
			if seed >= 21 {
				of = kind{oneWay: seed%2 == 1, layers: 2 + int(seed/2%2), media: true, attends: seed == 25}
			}
			grown, fresh := newWorldOf(t, 0, of), newWorldOf(t, 0, of)
			live := grown.randomHistory(rng, 0, 40)
			grown.settle()
			fresh.batch(live, 0)
			fresh.settle()
			got, want := grown.vectors(), fresh.vectors()
			if len(got) != len(want) {
				t.Fatalf("%d nodes, want %d", len(got), len(want))
			}
			for key, w := range want {
				g, ok := got[key]
				if !ok {
					t.Fatalf("%s is missing", key)
				}
				if !slices.Equal(g.Features, w.Features) || !slices.Equal(g.Hidden, w.Hidden) ||
					!slices.Equal(g.Embedding, w.Embedding) || !slices.Equal(g.Sum1, w.Sum1) || !slices.Equal(g.Sum2, w.Sum2) ||
					!slices.Equal(told(&g, 2), told(&w, 2)) || !slices.Equal(sumOf(&g, 2), sumOf(&w, 2)) {
					t.Errorf("%s differs: embeddings %v apart, pushed vectors %v, features %v", key,
						distance(g.Embedding, w.Embedding), rms(g.Hidden, w.Hidden, 16), distance(g.Features, w.Features))
				}
			}
		})
	}
}

// TestEpsilonBoundsDrift compares a lazy refresh with the exact one: every pushed vector stays within epsilon of the
// exact, and fewer artifacts are embedded.
func TestEpsilonBoundsDrift(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, of kind) {
		const epsilon = 0.2
		rng := rand.New(rand.NewPCG(11, 2))
		lazy, exact := newWorldOf(t, epsilon, of), newWorldOf(t, 0, of)
		live := lazy.randomHistory(rng, epsilon, 60)
		lazy.settle()
		exact.batch(live, 0)
		exact.settle()
		worst, widest := 0.0, 0.0
		want := exact.vectors()
		for key, g := range lazy.vectors() {
			w := want[key]
			if d := rms(g.Hidden, w.Hidden, 16); g.Type != graphstore.Artifact && d > epsilon+roundingTolerance {
				t.Errorf("%s: pushed vector %v from the exact one, more than epsilon %v", key, d, epsilon)
			}
			if d, bound := beyondBound(told(&g, 2), told(&w, 2), epsilon); d > bound {
				t.Errorf("%s: second pushed vector %v from the exact one, more than its bound %v", key, d, bound)
			} else {
				widest = max(widest, d)
			}
			worst = max(worst, distance(g.Embedding, w.Embedding))
		}
		if worst == 0 || worst > 2*epsilon || math.IsInf(worst, 0) {
			t.Errorf("the farthest embedding is %v from exact: want above 0 (else nothing was saved) and below %v", worst, 2*epsilon)
		}
		if of.layers == 3 && widest == 0 {
			t.Error("no second vector is off: the test shows nothing")
		}
	})
}

// beyondBound returns, of the block that is nearest to its bound or farthest beyond it, how far p is from the exact vector of a second
// layer, and what p says with epsilon.
func beyondBound(p, exact []float32, epsilon float64) (d, bound float64) {
	const width = 17
	bound = math.Inf(1)
	for from := 0; from < len(p); from += width {
		at, most := distance(p[from:from+width-1], exact[from:from+width-1]), float64(p[from+width-1])+math.Sqrt2*epsilon*math.Sqrt(width)+roundingTolerance
		if at-most >= d-bound {
			d, bound = at, most
		}
	}
	return d, bound
}

// eachDepth runs a test of models of two and of three layers.
func eachDepth(t *testing.T, test func(t *testing.T, of kind)) {
	for _, of := range []kind{{layers: 2}, threeLayers, {layers: 2, media: true}, {layers: 3, media: true}} {
		t.Run(fmt.Sprintf("%d %v", of.layers, of.media), func(t *testing.T) {
			t.Parallel()
			test(t, of)
		})
	}
}

// eachKind is eachDepth, and with attention too.
func eachKind(t *testing.T, test func(t *testing.T, of kind)) {
	eachDepth(t, test)
	for _, layers := range []int{2, 3} {
		t.Run(fmt.Sprint(layers, " attention"), func(t *testing.T) {
			t.Parallel()
			test(t, kind{layers: layers, attends: true})
		})
	}
}

// TestDriftBound measures, after seeded histories and at rest, how far each embedding is from that of an exact refresh, and each cosine of
// two: no more than their bounds say, whatever Epsilon is; and the bounds of an exact refresh are 0.
func TestDriftBound(t *testing.T) {
	t.Parallel()
	for i, epsilon := range []float32{0.05, 0.2, 1, 0.02, 0.2, 0.05, 0.2, 0.02, 0.05, 0.2, 0.2} {
		of := kind{layers: 2 + i/3}
		if i >= 5 {
			of = kind{layers: 2 + i/7, attends: true}
		}
		if i >= 8 {
			of = kind{layers: 2 + i%2, media: true, attends: i == 10}
		}
		t.Run(fmt.Sprintf("%+v %v", of, epsilon), func(t *testing.T) {
			t.Parallel()
			lazy, exact := newWorldOf(t, epsilon, of), newWorldOf(t, 0, of)
			live := lazy.randomHistory(rand.New(rand.NewPCG(uint64(20+i), 2)), epsilon, 16)
			lazy.settle()
			exact.batch(live, 0)
			exact.settle()
			want, worst, widest := exact.vectors(), 0.0, 0.0
			var got, real []graphstore.Node
			for key, n := range lazy.vectors() {
				if !n.IsArtifact() {
					continue
				}
				got, real = append(got, n), append(real, want[key])
				d := distance(n.Embedding, want[key].Embedding)
				if d > n.DriftBound+roundingTolerance || n.Epsilon != float64(epsilon) || want[key].DriftBound != 0 {
					t.Errorf("%s: %v from the exact embedding; the bound is %v, by epsilon %v; that of the exact one %v", key, d, n.DriftBound, n.Epsilon, want[key].DriftBound)
				}
				worst, widest = max(worst, d), max(widest, n.DriftBound)
			}
			for a := range got {
				for b := range a {
					off := math.Abs(dot(got[a].Embedding, got[b].Embedding) - dot(real[a].Embedding, real[b].Embedding))
					if bound := got[a].DriftBound + got[b].DriftBound; off > bound+roundingTolerance {
						t.Errorf("the cosine of %q and %q is off by %v, the bound is %v", got[a].Key, got[b].Key, off, bound)
					}
				}
			}
			if t.Logf("epsilon %v: at most %.4f from exact, the widest bound is %.4f", epsilon, worst, widest); worst == 0 {
				t.Error("no embedding is off: the test shows nothing")
			}
		})
	}
}

func dot(a, b []float32) (sum float64) {
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// TestAudit: at rest and with epsilon 0 every embedding is exact; with a coarse epsilon the audit finds the distance to
// the exact one, however that came about.
func TestAudit(t *testing.T) {
	t.Parallel()
	eachKind(t, audits)
}

func audits(t *testing.T, of kind) {
	audit := func(w *world) map[string]float64 {
		out := map[string]float64{}
		for key, n := range w.vectors() {
			if !n.IsArtifact() {
				continue
			}
			if err := w.store.View(func(r *graphstore.Reader) (err error) {
				out[key], err = w.r.Audit(r, n.ID)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		return out
	}
	lazy, exact := newWorldOf(t, 0.2, of), newWorldOf(t, 0, of)
	live := lazy.randomHistory(rand.New(rand.NewPCG(12, 2)), 0.2, 40)
	lazy.settle()
	exact.batch(live, 0)
	exact.settle()
	for key, d := range audit(exact) {
		if d > roundingTolerance {
			t.Errorf("%s: %v from exact, with epsilon 0 at rest", key, d)
		}
	}
	want, got, off := exact.vectors(), lazy.vectors(), 0
	for key, d := range audit(lazy) {
		real := distance(got[key].Embedding, want[key].Embedding)
		if math.Abs(d-real) > roundingTolerance {
			t.Errorf("%s: the audit finds %v, the exact embedding is %v away", key, d, real)
		}
		if real > 10*roundingTolerance {
			off++
		}
	}
	if off == 0 {
		t.Error("no embedding is off: the test shows nothing")
	}
	if err := lazy.store.View(func(r *graphstore.Reader) error {
		_, err := lazy.r.Audit(r, 12345)
		return err
	}); err == nil {
		t.Error("an unknown node was audited")
	}
}

// TestHubPushesRarely holds the cost: a hub of D members moves by O(1/D).
func TestHubPushesRarely(t *testing.T) {
	t.Parallel()
	eachDepth(t, hubPushesRarely)
}

func hubPushesRarely(t *testing.T, of kind) {
	w := newWorldOf(t, 0.05, of)
	edges := []graphstore.EdgeSpec{{Type: graphstore.Culture, Rel: graphstore.Relation(graphstore.Culture), Key: "hub", Label: "hub"}}
	// h2 of a hub moves faster than its h1, on which it rests, and a push tells of both.
	embedded, most := 0, map[int]float64{2: 40, 3: 60}[of.layers]
	const n = 300
	for i := range n {
		embedded += len(w.batch(map[string]*artifact{fmt.Sprint(i): {version: i, edges: edges}}, 1<<30))
	}
	if perInsert := float64(embedded) / n; perInsert > most {
		t.Errorf("%.1f artifacts embedded an insert; the exact refresh embeds %d", perInsert, n/2)
	} else {
		t.Logf("%.1f artifacts embedded an insert; the exact refresh embeds %d", perInsert, n/2)
	}
}

// TestOneRoundTellsAll: entities that go on moving while their pushes wait, as they do under a flood, are told of once. Each artifact is
// embedded once for all of it, and not again for what moved since the pushes were queued.
func TestOneRoundTellsAll(t *testing.T) {
	t.Parallel()
	eachDepth(t, oneRoundTellsAll)
}

func oneRoundTellsAll(t *testing.T, of kind) {
	w := newWorldOf(t, 0, of)
	const members, moving = 60, 5
	edges := func(i int) []graphstore.EdgeSpec {
		return []graphstore.EdgeSpec{entityEdge("all"), entityEdge(fmt.Sprint("one of four ", i%4))}
	}
	start := map[string]*artifact{}
	for i := range members {
		start[fmt.Sprint(i)] = &artifact{version: 1, edges: edges(i)}
	}
	w.batch(start, 0)
	w.settle()
	for round := range 5 {
		for i := range moving {
			w.batch(map[string]*artifact{fmt.Sprint(i): {version: 2 + round, edges: edges(i)}}, 0)
		}
	}
	embedded := 0
	for w.r.Pending() > 0 {
		embedded += len(w.batch(nil, 7))
	}
	if embedded > members {
		t.Errorf("%d artifacts were embedded %d times", members, embedded)
	}
}
