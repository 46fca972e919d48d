package refresh

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"kilim/graphstore"
	"kilim/learner/model/infer"
	"kilim/learner/tensor/sparse"
)

// artifact is the state of one artifact in a history; version determines its features.
type artifact struct {
	version int
	edges   []graphstore.EdgeSpec
	// before are the edges that it had, where nothing else changes: each that comes or goes is told alone.
	before []graphstore.EdgeSpec
	// holds are contents, by number; answered: encoders have answered, and nothing else of the artifact changes.
	holds    []int
	answered bool
}

// rewired is the artifact with one edge less and one more.
func (a *artifact) rewired(rng *rand.Rand, self, artifacts int) *artifact {
	if len(a.edges) == 0 {
		return nil
	}
	out := &artifact{version: a.version, edges: slices.Clone(a.edges), before: a.edges, holds: a.holds}
	same := func(spec graphstore.EdgeSpec) func(graphstore.EdgeSpec) bool {
		return func(e graphstore.EdgeSpec) bool { return e.Rel == spec.Rel && e.Key == spec.Key }
	}
	out.edges = slices.DeleteFunc(out.edges, same(a.edges[rng.IntN(len(a.edges))]))
	more := randomArtifact(rng, self, artifacts).edges
	if spec := more[rng.IntN(len(more))]; !slices.ContainsFunc(a.edges, same(spec)) {
		out.edges = append(out.edges, spec)
	}
	return out
}

// without returns the edges of an artifact that it has by some specs and not by others.
func without(id graphstore.NodeID, some, others []graphstore.EdgeSpec) (edges []graphstore.Edge) {
	of := func(spec graphstore.EdgeSpec) graphstore.Edge {
		return graphstore.Edge{From: id, Rel: spec.Rel, To: graphstore.ID(spec.Type, spec.Key)}
	}
	have := map[graphstore.Edge]bool{}
	for _, spec := range others {
		have[of(spec)] = true
	}
	for _, spec := range some {
		if e := of(spec); !have[e] {
			have[e] = true
			edges = append(edges, e)
		}
	}
	return edges
}

// features returns a text, and for some artifacts a picture or a recording.
func (a artifact) features(id string) infer.Features {
	rng := rand.New(rand.NewPCG(uint64(graphstore.ID(graphstore.Artifact, id)), uint64(a.version)))
	vector := func(n int) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(rng.NormFloat64()) / float32(math.Sqrt(float64(n)))
		}
		return out
	}
	f := infer.Features{Text: sparse.Of(vector(labelDim)), Facts: vector(2)}
	if a.version%3 == 0 {
		f.Image = vector(9)
	}
	if a.version%4 == 0 {
		f.Audio = vector(7)
	}
	if len(a.holds) > 0 {
		f.Image, f.Audio = meansOf(a.holds)
	}
	return f
}

func randomArtifact(rng *rand.Rand, self, artifacts int) *artifact {
	a := &artifact{version: rng.IntN(1000)}
	types := []graphstore.Type{graphstore.Culture, graphstore.Material, graphstore.Place}
	for range 1 + rng.IntN(4) {
		t := types[rng.IntN(len(types))]
		// Few entities: some become hubs. One in six is known by URI and has several labels.
		label := fmt.Sprintf("e%d", rng.IntN(6))
		key := graphstore.NormalizeLabel(label)
		if rng.IntN(6) == 0 {
			key, label = "http://example.org/"+label, fmt.Sprintf("%s-%d", label, rng.IntN(3))
		}
		a.edges = append(a.edges, graphstore.EdgeSpec{Type: t, Rel: graphstore.Relation(t), Key: key, Label: label})
	}
	for range rng.IntN(3) {
		if target := rng.IntN(artifacts); target != self {
			a.edges = append(a.edges, graphstore.EdgeSpec{Type: graphstore.Artifact, Rel: graphstore.RelLink, Key: fmt.Sprint(target), LinkType: "related"})
		}
	}
	return a
}

// randomHistory runs batches of inserts, replacements and deletions and returns the artifacts that are there in the
// end.
func (w *world) randomHistory(rng *rand.Rand, epsilon float32, batches int) map[string]*artifact {
	const artifacts = 40
	live := map[string]*artifact{}
	for range batches {
		changes := map[string]*artifact{}
		for range 1 + rng.IntN(6) {
			i := rng.IntN(artifacts)
			id := fmt.Sprint(i)
			if _, ok := changes[id]; ok {
				continue
			}
			if live[id] != nil && rng.IntN(3) == 0 {
				if a := live[id].rewired(rng, i, artifacts); a != nil {
					changes[id], live[id] = a, &artifact{version: a.version, edges: a.edges, holds: a.holds}
				}
				continue
			}
			if w.kind.media && live[id] != nil && rng.IntN(2) == 0 {
				a := live[id]
				changes[id] = &artifact{version: a.version, edges: a.edges, holds: append(slices.Clone(a.holds), rng.IntN(mostContents)), answered: true}
				live[id] = &artifact{version: a.version, edges: a.edges, holds: changes[id].holds}
				continue
			}
			if live[id] != nil && rng.IntN(3) == 0 {
				changes[id] = nil
				delete(live, id)
			} else {
				changes[id] = randomArtifact(rng, i, artifacts)
				if w.kind.media {
					changes[id].holds = someContents(rng)
				}
				live[id] = changes[id]
			}
		}
		w.batch(changes, rng.IntN(5))
		if rng.IntN(8) == 0 {
			w.reopen(epsilon)
		}
		w.check()
	}
	return live
}
