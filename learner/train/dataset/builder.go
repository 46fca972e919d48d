package dataset

import (
	"errors"
	"fmt"
	"slices"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/facts"
	"kilim/learner/refresh"
	"kilim/learner/train"
	"kilim/learner/train/eval"
)

// Record is what a node of a Set shows of an artifact: all of it, or a part.
type Record struct {
	ID      string
	Pieces  []weave.Piece
	Links   []string // the ids of the artifacts that it names
	Culture string   // the label of its first culture, if it has one
	Themes  map[string][]string
	Vectors Vectors
	// Query keeps the record's node from being read: it reads others, as the artifact would, but no other node reads
	// it. It is none of the Set's artifacts, and may show another part of one of them.
	Query bool
}

// RecordOf returns the Record of all of an artifact.
func RecordOf(a *profile.Artifact, v Vectors) Record {
	r := Record{ID: a.ID, Pieces: weave.Pieces(a), Themes: a.Theme, Vectors: v}
	for _, l := range a.Link {
		r.Links = append(r.Links, l.Target)
	}
	if len(a.Culture) > 0 {
		r.Culture = a.Culture[0].Text()
	}
	return r
}

// heldOutEvery is one in how many links is held out.
const heldOutEvery = 5

// Builder builds a Dataset from Records. It leaves Until and Watermark to Make, which knows when the records came.
type Builder struct {
	cfg      Config
	entities Entities
	records  *records
	set      *train.Builder
	// onFeatures is given the features of all nodes, in their order.
	onFeatures func(features []float32)
	// nodes are those of entities, by id; members are the indices in artifacts of those that have an entity.
	nodes   map[graphstore.NodeID]int32
	members map[graphstore.NodeID][]int
	// artifacts are the Set's, and place has their indices by id; queries are not in the Set.
	artifacts, queries []builtRecord
	place              map[graphstore.NodeID]int
	data               Dataset
	themes             []map[string][]string
}

// builtRecord is a Record that has its node.
type builtRecord struct {
	id       graphstore.NodeID
	entities []graphstore.NodeID
	links    []graphstore.NodeID
	artifact train.Artifact
	contents []train.Edge
}

// NewBuilder returns a Builder that weights words by idf.
func NewBuilder(cfg Config, idf func(bucket uint32) float32, entities Entities) (*Builder, error) {
	b, err := newBuilder(cfg, idf, entities, func([]float32) {})
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	return b, nil
}

func newBuilder(cfg Config, idf func(bucket uint32) float32, entities Entities, note func([]float32)) (*Builder, error) {
	if cfg.MaxRareMembers == 0 {
		cfg.MaxRareMembers = MaxRareMembers
	}
	if len(cfg.Shape.Modalities) == 0 {
		return nil, errors.New("a model without modalities reads no record")
	}
	for _, m := range cfg.Shape.Modalities[1:] {
		if _, ok := cfg.vector(m.Name, Vectors{}); !ok {
			return nil, fmt.Errorf("modality %q: want image or audio after the record", m.Name)
		}
	}
	width := cfg.Shape.Modalities[0].Features
	// A record has a feature for each type of node, of which Decade is the last.
	if least := cfg.Words.Dim() + facts.Dim + int(graphstore.Decade) + 1; width < least {
		return nil, fmt.Errorf("a record has %d features in the model, at least %d are needed", width, least)
	}
	b := &Builder{
		cfg: cfg, entities: entities, onFeatures: note,
		records: &records{words: cfg.Words, idf: idf, width: width, textVectors: map[int32][]float32{}},
		set:     train.NewBuilder(cfg.Shape),
		nodes:   map[graphstore.NodeID]int32{}, members: map[graphstore.NodeID][]int{}, place: map[graphstore.NodeID]int{},
	}
	b.set.MediaEdges(mediaEdges(cfg.Shape))
	return b, nil
}

// vector returns the vector of a modality; false: there is no such modality.
func (cfg *Config) vector(modality string, v Vectors) ([]float32, bool) {
	switch modality {
	case "image":
		return v.Image, true
	case "audio":
		return v.Audio, true
	}
	return nil, false
}

// Add adds a Record and returns its node.
func (b *Builder) Add(r Record) (node int32, err error) {
	if node, err = b.add(r); err != nil {
		return 0, fmt.Errorf("dataset: artifact %q: %w", r.ID, err)
	}
	return node, nil
}

func (b *Builder) add(r Record) (int32, error) {
	own := builtRecord{id: graphstore.ID(graphstore.Artifact, r.ID)}
	if _, ok := b.place[own.id]; ok && !r.Query {
		return 0, errors.New("it is in the set already")
	}
	if b.cfg.WithoutGraph {
		r = withoutGraph(r)
	}
	if err := b.resolveEdges(&own, r); err != nil {
		return 0, err
	}
	if err := b.resolveContents(&own, r); err != nil {
		return 0, err
	}
	own.artifact.Node = b.node(b.features(r.Vectors, own.artifact.Parts)...)
	own.artifact.Culture = -1
	if r.Culture != "" {
		own.artifact.Culture = int32(graphstore.ID(graphstore.Culture, graphstore.NormalizeLabel(r.Culture)) >> 33) // any number, the same for the same label
	}
	if r.Query {
		b.queries = append(b.queries, own)
		return own.artifact.Node, nil
	}
	for _, entity := range own.entities {
		b.members[entity] = append(b.members[entity], len(b.artifacts))
	}
	b.place[own.id] = len(b.artifacts)
	b.artifacts = append(b.artifacts, own)
	b.data.IDs, b.data.Cultures, b.themes = append(b.data.IDs, r.ID), append(b.data.Cultures, r.Culture), append(b.themes, r.Themes)
	return own.artifact.Node, nil
}

// withoutGraph returns a Record without edges and links.
func withoutGraph(r Record) Record {
	r.Links, r.Vectors.Contents, r.Pieces = nil, nil, slices.Clone(r.Pieces)
	for i := range r.Pieces {
		r.Pieces[i].Edges = nil
	}
	return r
}

// resolveEdges finds the nodes that a Record's pieces lead to, and the ids that its links name.
func (b *Builder) resolveEdges(own *builtRecord, r Record) error {
	for _, piece := range r.Pieces {
		part := train.Part{Content: b.records.add(piece), Origin: piece.Origin}
		for _, spec := range piece.Edges {
			entity := graphstore.ID(spec.Type, spec.Key)
			node, err := b.entity(entity, spec)
			if err != nil {
				return err
			}
			part.Edges = append(part.Edges, train.Edge{To: node, Relation: int32(refresh.RelationIndex(spec.Rel))})
			own.entities = append(own.entities, entity)
		}
		own.artifact.Parts = append(own.artifact.Parts, part)
	}
	slices.Sort(own.entities)
	own.entities = slices.Compact(own.entities)
	for _, target := range r.Links {
		own.links = append(own.links, graphstore.ID(graphstore.Artifact, target))
	}
	return nil
}

// node adds a node with its features.
func (b *Builder) node(features ...[]float32) int32 {
	for _, f := range features {
		b.onFeatures(f)
	}
	return b.set.AddNode(features...)
}

// features returns those of each modality for the Record that becomes the next node.
func (b *Builder) features(v Vectors, parts []train.Part) [][]float32 {
	next := b.set.Nodes()
	if b.cfg.TextVectors {
		b.records.textVectors[next] = v.Text
	}
	record := make([]float32, b.records.width)
	b.records.Encode(next, parts, record)
	out := [][]float32{record}
	for _, m := range b.cfg.Shape.Modalities[1:] {
		vector, _ := b.cfg.vector(m.Name, v) // newBuilder refuses other modalities
		out = append(out, vector)
	}
	return out
}

func (b *Builder) entity(id graphstore.NodeID, spec graphstore.EdgeSpec) (int32, error) {
	if node, ok := b.nodes[id]; ok {
		return node, nil
	}
	n, err := b.entities.Node(id)
	if err != nil {
		return 0, err
	}
	label := spec.Label
	if n != nil {
		label = n.DisplayLabel()
	}
	node := b.node(b.records.entity(label, spec.Type))
	b.nodes[id] = node
	return node, nil
}

// Build returns the Dataset of what was added. The Builder must not be used after it.
func (b *Builder) Build() (*Dataset, error) {
	d, err := b.build()
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	return d, nil
}

func (b *Builder) build() (*Dataset, error) {
	b.addRarePairs()
	b.addLinks()
	b.sortLists()
	for _, a := range b.artifacts {
		b.set.AddArtifact(a.artifact)
	}
	b.addContentEdges()
	b.addInverseEdges()
	b.addQueryEdges()
	d := b.data
	if slices.ContainsFunc(b.themes, func(t map[string][]string) bool { return len(t) > 0 }) {
		d.Themes = eval.Labels(d.IDs, b.themes)
	}
	var err error
	d.Set, err = b.set.Build(b.records)
	return &d, err
}

// addRarePairs finds the artifacts that share a rare entity.
func (b *Builder) addRarePairs() {
	for i := range b.artifacts {
		a := &b.artifacts[i]
		for _, entity := range a.entities {
			members := b.members[entity]
			if len(members) > b.cfg.MaxRareMembers {
				continue
			}
			for _, m := range members {
				if m != i {
					a.artifact.Rare = append(a.artifact.Rare, b.artifacts[m].artifact.Node)
				}
			}
		}
	}
}

// heldOut tells which links are kept out of the Set, to be found. It is the same in both directions.
func heldOut(a, b graphstore.NodeID) bool { return uint64(a^b)%heldOutEvery == 0 }

// addLinks lets linked artifacts read each other, except over links that are heldOut.
func (b *Builder) addLinks() {
	for i := range b.artifacts {
		from := &b.artifacts[i]
		for _, target := range from.links {
			j, ok := b.place[target]
			if !ok || j == i {
				continue
			}
			x, y := &from.artifact, &b.artifacts[j].artifact
			x.Related, y.Related = append(x.Related, y.Node), append(y.Related, x.Node)
			if heldOut(from.id, target) {
				b.data.Links = append(b.data.Links, [2]int32{int32(i), int32(j)})
				continue
			}
			x.Links, y.Links = append(x.Links, y.Node), append(y.Links, x.Node)
			b.set.AddEdge(x.Node, linkTo(y.Node))
			b.set.AddEdge(y.Node, train.Edge{To: x.Node, Relation: int32(refresh.RelationIndex(graphstore.RelLink | graphstore.Inverse))})
		}
	}
	slices.SortFunc(b.data.Links, func(x, y [2]int32) int { return slices.Compare(x[:], y[:]) })
	b.data.Links = slices.Compact(b.data.Links)
}

func linkTo(node int32) train.Edge {
	return train.Edge{To: node, Relation: int32(refresh.RelationIndex(graphstore.RelLink))}
}

// sortLists sorts the lists of an artifact and removes duplicates. Artifacts that share a rare entity are Related.
func (b *Builder) sortLists() {
	for i := range b.artifacts {
		a := &b.artifacts[i].artifact
		a.Related = append(a.Related, a.Rare...)
		for _, list := range []*[]int32{&a.Related, &a.Links, &a.Rare} {
			slices.Sort(*list)
			*list = slices.Compact(*list)
		}
	}
}

// addInverseEdges lets entities read their members.
func (b *Builder) addInverseEdges() {
	for _, a := range b.artifacts {
		for _, p := range a.artifact.Parts {
			for _, edge := range p.Edges {
				b.set.AddEdge(edge.To, train.Edge{To: a.artifact.Node, Relation: edge.Relation + 1})
			}
		}
	}
}

// addQueryEdges lets queries read what the artifact of the Record would, but never that artifact itself.
func (b *Builder) addQueryEdges() {
	for _, q := range b.queries {
		for _, p := range q.artifact.Parts {
			for _, edge := range p.Edges {
				b.set.AddEdge(q.artifact.Node, edge)
			}
		}
		for _, target := range q.links {
			if j, ok := b.place[target]; ok && target != q.id && !heldOut(q.id, target) {
				b.set.AddEdge(q.artifact.Node, linkTo(b.artifacts[j].artifact.Node))
			}
		}
	}
}
