package encode

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/feature"
)

// hashed makes vectors of hashes. It refuses what begins with "bad".
type hashed struct {
	id    feature.Identity
	asked map[string]int // by what
}

func newHashed(name string, dim int) *hashed {
	return &hashed{feature.Identity{Name: name, Version: 1, Dim: dim}, map[string]int{}}
}

func (h *hashed) Identity() feature.Identity { return h.id }

func (h *hashed) Encode(_ context.Context, items []feature.Item) []feature.Result {
	out := make([]feature.Result, len(items))
	for i, it := range items {
		what := it.Text + string(it.Data)
		h.asked[what]++
		if strings.HasPrefix(what, "bad") {
			out[i].Err = feature.Refuse(feature.ReasonCorrupt, "it says so")
			continue
		}
		out[i].Vector = h.vector(what)
	}
	return out
}

func (h *hashed) vector(what string) []float32 {
	rng := rand.New(rand.NewChaCha8(sha256.Sum256([]byte(h.id.Name + what))))
	v := make([]float32, h.id.Dim)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	feature.Scale(v, 1)
	return v
}

// walled is a Reach that ends at what begins with "forbidden".
type walled struct{}

func (walled) Refuses(_, uri string) *feature.Refusal {
	if strings.HasPrefix(uri, "forbidden") {
		return feature.Refuse(feature.ReasonNotAllowed, "not %s", uri)
	}
	return nil
}

// eyeAndEar are encoders of pictures and recordings.
func eyeAndEar() Encoders { return Encoders{Image: newHashed("eye", 5), Audio: newHashed("ear", 3)} }

// archive is a Graph in maps, and what else of a state is read.
type archive struct {
	nodes   map[graphstore.NodeID]*graphstore.Node
	records map[string]*profile.Artifact
	rows    map[graphstore.NodeID]graphstore.Media
	vectors map[vectorOf][]float32
	meta    map[string][]byte
	dims    map[string]int
}

type vectorOf struct {
	content graphstore.Content
	encoder string
}

func newArchive() *archive {
	return &archive{
		nodes: map[graphstore.NodeID]*graphstore.Node{}, records: map[string]*profile.Artifact{},
		rows: map[graphstore.NodeID]graphstore.Media{}, vectors: map[vectorOf][]float32{},
		meta: map[string][]byte{}, dims: map[string]int{},
	}
}

// clone is what a unit works on.
func (a *archive) clone() *archive {
	return &archive{maps.Clone(a.nodes), maps.Clone(a.records), maps.Clone(a.rows), maps.Clone(a.vectors), maps.Clone(a.meta), maps.Clone(a.dims)}
}

func (a *archive) Node(id graphstore.NodeID) (*graphstore.Node, error) { return a.nodes[id], nil }

func (a *archive) EdgesOf(id graphstore.NodeID, rel graphstore.Relation, fn func(graphstore.Edge) bool) error {
	n := a.nodes[id]
	if n == nil || rel != graphstore.RelMedia {
		return nil
	}
	var to []graphstore.NodeID
	for _, spec := range weave.Edges(a.records[n.Key]) {
		if spec.Rel == rel {
			to = append(to, graphstore.ID(spec.Type, spec.Key))
		}
	}
	slices.Sort(to)
	for _, t := range to {
		if !fn(graphstore.Edge{From: id, Rel: rel, To: t}) {
			break
		}
	}
	return nil
}

func (a *archive) Media(id graphstore.NodeID) (*graphstore.Media, error) {
	row, ok := a.rows[id]
	if !ok {
		return nil, nil
	}
	return &row, nil
}

func (a *archive) EachMedia(fn func(*graphstore.Media) bool) error {
	for _, id := range slices.Sorted(maps.Keys(a.rows)) {
		if row := a.rows[id]; !fn(&row) {
			break
		}
	}
	return nil
}

func (a *archive) MediaVector(c graphstore.Content, encoder string) ([]float32, error) {
	return a.vectors[vectorOf{c, encoder}], nil
}

func (a *archive) PutMedia(row graphstore.Media) error {
	a.rows[row.Node] = row
	a.forgetUnused()
	return nil
}

func (a *archive) DeleteMedia(id graphstore.NodeID) error {
	delete(a.rows, id)
	a.forgetUnused()
	return nil
}

func (a *archive) PutMediaVector(c graphstore.Content, encoder string, v []float32) error {
	if !a.used(c) {
		return fmt.Errorf("a vector of %x, which no row names", c)
	}
	a.vectors[vectorOf{c, encoder}] = v
	return nil
}

func (a *archive) used(c graphstore.Content) bool {
	for _, row := range a.rows {
		if row.Content == c {
			return true
		}
	}
	return false
}

func (a *archive) forgetUnused() {
	maps.DeleteFunc(a.vectors, func(v vectorOf, _ []float32) bool { return !a.used(v.content) })
}

func (a *archive) Meta(key string) ([]byte, error)             { return a.meta[key], nil }
func (a *archive) PutMeta(key string, v []byte) error          { a.meta[key] = v; return nil }
func (a *archive) SetEncoderDim(name string, dim int) error    { a.dims[name] = dim; return nil }
func (a *archive) EncoderDim(name string) (dim int, ok bool)   { dim, ok = a.dims[name]; return dim, ok }
func (a *archive) record(id string) (*profile.Artifact, error) { return a.records[id], nil }

// replace puts an artifact into the graph, or takes it out when a is nil, and returns the media nodes that left.
func (a *archive) replace(id string, record *profile.Artifact) map[graphstore.NodeID]*graphstore.Node {
	gone := map[graphstore.NodeID]*graphstore.Node{}
	if old := a.records[id]; old != nil {
		for _, spec := range weave.Edges(old) {
			node := graphstore.ID(spec.Type, spec.Key)
			gone[node] = a.nodes[node]
			delete(a.nodes, node)
		}
	}
	self := graphstore.ID(graphstore.Artifact, id)
	delete(a.nodes, self)
	delete(a.records, id)
	if record == nil {
		return gone
	}
	a.records[id] = record
	a.nodes[self] = &graphstore.Node{ID: self, Type: graphstore.Artifact, Key: id}
	for _, spec := range weave.Edges(record) {
		node := graphstore.ID(spec.Type, spec.Key)
		a.nodes[node] = &graphstore.Node{ID: node, Type: spec.Type, Key: spec.Key}
		delete(gone, node)
	}
	return gone
}
