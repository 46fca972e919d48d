package refresh

import (
	"fmt"
	"testing"

	"kilim/graphstore"
)

// The tests of what an artifact may keep when only a push reaches it. The world checks at the end that every embedding is, bit
// for bit, what its neighbourhood gives.

func entityEdge(name string) graphstore.EdgeSpec {
	return graphstore.EdgeSpec{Type: graphstore.Culture, Rel: graphstore.Relation(graphstore.Culture), Key: name, Label: name}
}

func linkEdge(to string) graphstore.EdgeSpec {
	return graphstore.EdgeSpec{Type: graphstore.Artifact, Rel: graphstore.RelLink, Key: to, LinkType: "related"}
}

// TestLinkTargetChangesBesideAPush: an artifact is embedded for an entity's push in the very pass in which the artifact that it
// links to gets other features.
func TestLinkTargetChangesBesideAPush(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	shared := []graphstore.EdgeSpec{entityEdge("shared")}
	w.batch(map[string]*artifact{
		"reader": {version: 1, edges: []graphstore.EdgeSpec{entityEdge("shared"), linkEdge("target")}},
		"target": {version: 2},
		"other":  {version: 3, edges: shared},
	}, 0)
	w.settle()
	w.batch(map[string]*artifact{"other": {version: 5, edges: shared}}, 0)
	if w.r.Pending() == 0 {
		t.Fatal("no push waits")
	}
	w.batch(map[string]*artifact{"target": {version: 7}}, 100)
	w.settle()
}

// TestPushToAnArtifactThatLags: an artifact has moved by less than epsilon, so that those who link to it were not told; then
// an entity's push reaches it.
func TestPushToAnArtifactThatLags(t *testing.T) {
	t.Parallel()
	const epsilon = 0.01
	w := newWorld(t, epsilon)
	start := map[string]*artifact{
		"target": {version: 1, edges: []graphstore.EdgeSpec{entityEdge("shared")}},
		"other":  {version: 2, edges: []graphstore.EdgeSpec{entityEdge("shared")}},
	}
	const many = 200
	for i := range many {
		start[fmt.Sprint(i)] = &artifact{version: 1, edges: []graphstore.EdgeSpec{linkEdge("target")}}
	}
	w.batch(start, 0)
	w.settle()
	w.batch(map[string]*artifact{"0": {version: 5, edges: []graphstore.EdgeSpec{linkEdge("target")}}}, 0)
	w.settle()
	target := w.vectors()["artifact/target"]
	e := &embedding{id: target.ID, node: &target}
	if err := w.store.View(func(r *graphstore.Reader) error { return e.read(w.r, r) }); err != nil {
		t.Fatal(err)
	}
	w.r.layerOf(0, []*embedding{e})
	if d := rms(e.h[1], target.Hidden, 16); d == 0 || d > epsilon {
		t.Fatalf("the artifact lags by %v: want more than 0 and less than %v", d, epsilon)
	}
	before := target.Embedding
	w.batch(map[string]*artifact{"other": {version: 11, edges: []graphstore.EdgeSpec{entityEdge("shared")}}}, 100)
	w.settle()
	if after := w.vectors()["artifact/target"].Embedding; distance(before, after) == 0 {
		t.Fatal("no push has reached the artifact")
	}
}
