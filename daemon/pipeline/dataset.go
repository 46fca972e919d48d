package pipeline

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"slices"
	"time"

	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/text"
	"kilim/learner/model"
	"kilim/learner/refresh"
	"kilim/learner/train"
	"kilim/learner/train/eval"
)

// Dataset is a snapshot of the archive, to train a model on and to judge models by.
type Dataset struct {
	Set *train.Set
	// IDs are those of the set's artifacts, and Cultures the labels of their first culture, if they have one.
	IDs, Cultures []string
	// Themes are the labels that artifacts came with, nil if none did.
	Themes *eval.Truth
	// Links are pairs of artifacts whose link is kept out of the set, to be found by it.
	Links [][2]int32
	// Until is the time of the last record in it.
	Until time.Time
	// Watermark is Until and a checksum of the content: the same for the same snapshot only.
	Watermark string
}

const (
	// heldLinks is one in how many links is kept out.
	heldLinks = 5
	// fewMembers is how many artifacts share an entity that is rare for training: a pair that shares
	// one is rather a positive than a negative.
	fewMembers = 8
)

// Dataset makes a snapshot of at most limit artifacts: those of the smallest hashes, which is a sample that
// does not depend on the order of arrival. It reads committed state. Records that came after until are left out, unless it is
// zero: so a snapshot can be made again after others have come, as long as nothing in it was replaced or deleted. (Words are
// weighted by the artifacts in it for the same reason.)
func (e *Engine) Dataset(limit int, until time.Time) (*Dataset, error) {
	table := text.NewTable()
	c := &assembler{
		e: e, d: &Dataset{}, hash: sha256.New(), table: table,
		records: &records{encoder: e.encoder, idf: table.IDF, cfg: e.cfg.Model, foreign: map[int32][]float32{}},
		build:   train.NewBuilder(e.cfg.Model.Shape()),
		nodes:   map[graphstore.NodeID]int32{}, members: map[graphstore.NodeID][]int{},
	}
	if err := e.store.View(func(r *graphstore.Reader) error { return c.collect(r, limit, until) }); err != nil {
		return nil, fmt.Errorf("pipeline: dataset: %w", err)
	}
	return c.d, nil
}

// Model is the shape of the model, as it is trained, and its weights.
func (e *Engine) Model() (shape model.Config, weights []float32) {
	return e.cfg.Model.Shape(), e.model.Weights()
}

// Epoch is that of the model.
func (e *Engine) Epoch() uint32 { return e.cfg.Epoch }

// Artifacts is how many are stored.
func (e *Engine) Artifacts() int { return e.store.Counts().Artifacts }

// Changed is how much the archive has changed since the state began, in archives: an insert, replacement or
// deletion among N artifacts counts 1/N.
func (e *Engine) Changed() float64 { return math.Float64frombits(e.drift.Load()) }

// assembler fills a Dataset.
type assembler struct {
	e       *Engine
	d       *Dataset
	hash    hash.Hash // of all that the snapshot is made of
	table   *text.Table
	records *records
	build   *train.Builder
	nodes   map[graphstore.NodeID]int32
	// all are the artifacts, by id; members are their numbers by entity.
	all     []collected
	members map[graphstore.NodeID][]int
	themes  []map[string][]string
}

type collected struct {
	id       graphstore.NodeID
	entities []graphstore.NodeID
	links    []graphstore.NodeID
	artifact train.Artifact
}

func (c *assembler) collect(r *graphstore.Reader, limit int, until time.Time) error {
	chosen, err := c.choose(r, limit, until)
	if err != nil {
		return err
	}
	for _, n := range chosen {
		if err := c.artifact(r, n); err != nil {
			return fmt.Errorf("artifact %q: %w", n.Key, err)
		}
	}
	c.d.Watermark = fmt.Sprintf("%s %x", c.d.Until.UTC().Format(time.RFC3339Nano), c.hash.Sum(nil))
	c.relate()
	for _, a := range c.all {
		c.build.Artifact(a.artifact)
	}
	c.inverse()
	if slices.ContainsFunc(c.themes, func(t map[string][]string) bool { return len(t) > 0 }) {
		c.d.Themes = eval.Labels(c.d.IDs, c.themes)
	}
	c.d.Set, err = c.build.Build(c.records)
	return err
}

// choose finds the artifacts of the snapshot, and counts their words. Documents are read again when the words are weighted, not
// kept until then: their media may be inline, and are too much for the memory of all.
func (c *assembler) choose(r *graphstore.Reader, limit int, until time.Time) ([]*graphstore.Node, error) {
	var stored []*graphstore.Node
	err := r.EachNode(func(n *graphstore.Node) bool {
		if n.IsArtifact() {
			stored = append(stored, n)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(stored, func(a, b *graphstore.Node) int { return cmp.Compare(a.ID, b.ID) })
	var chosen []*graphstore.Node
	for _, n := range stored {
		if len(chosen) == limit {
			break
		}
		doc, a, err := weave.Read(r, n.Key, c.e.cfg.Limits)
		if err != nil {
			return nil, err
		}
		if !until.IsZero() && doc.Timestamp.After(until) {
			continue
		}
		if doc.Timestamp.After(c.d.Until) {
			c.d.Until = doc.Timestamp
		}
		c.note([]byte(n.Key))
		c.note(doc.Raw)
		c.table.Add(c.e.encoder.AnalyzeTexts(weave.Texts(a)), 1)
		chosen = append(chosen, n)
	}
	return chosen, nil
}

// note counts a part of the snapshot in its checksum.
func (c *assembler) note(part []byte) {
	c.hash.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(part))))
	c.hash.Write(part)
}

func (c *assembler) noteFeatures(features ...[]float32) {
	for _, f := range features {
		b := make([]byte, 0, 4*len(f))
		for _, x := range f {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
		c.note(b)
	}
}

func (c *assembler) artifact(r *graphstore.Reader, n *graphstore.Node) error {
	_, a, err := weave.Read(r, n.Key, c.e.cfg.Limits)
	if err != nil {
		return err
	}
	out := collected{id: n.ID}
	for _, piece := range weave.Pieces(a) {
		part := train.Part{Content: c.records.add(piece), Origin: piece.Origin}
		for _, spec := range piece.Edges {
			entity := graphstore.ID(spec.Type, spec.Key)
			node, err := c.entity(r, entity, spec)
			if err != nil {
				return err
			}
			part.Edges = append(part.Edges, train.Edge{To: node, Relation: int32(refresh.RelationIndex(spec.Rel))})
			out.entities = append(out.entities, entity)
		}
		out.artifact.Parts = append(out.artifact.Parts, part)
	}
	for _, l := range a.Link {
		out.links = append(out.links, graphstore.ID(graphstore.Artifact, l.Target))
	}
	slices.Sort(out.entities)
	out.entities = slices.Compact(out.entities)
	features, err := c.features(r, n, out.artifact.Parts)
	if err != nil {
		return err
	}
	c.noteFeatures(features...)
	out.artifact.Node = c.build.Node(features...)
	out.artifact.Culture = -1
	culture := ""
	if len(a.Culture) > 0 {
		culture = a.Culture[0].Text()
		out.artifact.Culture = int32(graphstore.ID(graphstore.Culture, graphstore.NormalizeLabel(culture)) >> 33) // any number, the same for the same
	}
	c.nodes[n.ID] = out.artifact.Node
	number := len(c.all)
	for _, entity := range out.entities {
		c.members[entity] = append(c.members[entity], number)
	}
	c.all = append(c.all, out)
	c.d.IDs, c.d.Cultures, c.themes = append(c.d.IDs, n.Key), append(c.d.Cultures, culture), append(c.themes, a.Theme)
	return nil
}

// features of each modality that the model has, of the artifact that becomes the next node.
func (c *assembler) features(r *graphstore.Reader, n *graphstore.Node, parts []train.Part) ([][]float32, error) {
	media, err := c.e.encodedOf(r, n.ID)
	if err != nil {
		return nil, err
	}
	if c.e.cfg.Encoders.Text != nil {
		c.records.foreign[c.build.Nodes()] = media.text
	}
	record := make([]float32, c.records.width())
	c.records.Encode(c.build.Nodes(), parts, record)
	out := [][]float32{record}
	if c.e.cfg.Model.Image > 0 {
		out = append(out, centre(media.image))
	}
	if c.e.cfg.Model.Audio > 0 {
		out = append(out, centre(media.audio))
	}
	return out, nil
}

func (c *assembler) entity(r *graphstore.Reader, id graphstore.NodeID, spec graphstore.EdgeSpec) (int32, error) {
	if node, ok := c.nodes[id]; ok {
		return node, nil
	}
	n, err := r.Node(id)
	if err != nil {
		return 0, err
	}
	label := spec.Label
	if n != nil {
		label = n.DisplayLabel()
	}
	features := c.records.node(label, spec.Type)
	c.noteFeatures(features)
	node := c.build.Node(features)
	c.nodes[id] = node
	return node, nil
}

// relate says which artifacts belong together: those that share something rare, and those that are linked,
// of which some are kept for judging.
func (c *assembler) relate() {
	number := map[graphstore.NodeID]int{}
	for i := range c.all {
		number[c.all[i].id] = i
	}
	for i := range c.all {
		a := &c.all[i]
		for _, entity := range a.entities {
			if members := c.members[entity]; len(members) <= fewMembers {
				for _, m := range members {
					if m != i {
						a.artifact.Rare = append(a.artifact.Rare, c.all[m].artifact.Node)
					}
				}
			}
		}
	}
	for i := range c.all {
		for _, target := range c.all[i].links {
			j, ok := number[target]
			if !ok || j == i {
				continue
			}
			a, b := &c.all[i].artifact, &c.all[j].artifact
			a.Kin, b.Kin = append(a.Kin, b.Node), append(b.Kin, a.Node)
			if uint64(c.all[i].id^target)%heldLinks == 0 { // the same for both directions
				c.d.Links = append(c.d.Links, [2]int32{int32(i), int32(j)})
				continue
			}
			a.Links, b.Links = append(a.Links, b.Node), append(b.Links, a.Node)
			c.build.Read(a.Node, train.Edge{To: b.Node, Relation: int32(refresh.RelationIndex(graphstore.RelLink))})
			c.build.Read(b.Node, train.Edge{To: a.Node, Relation: int32(refresh.RelationIndex(graphstore.RelLink | graphstore.Inverse))})
		}
	}
	for i := range c.all {
		a := &c.all[i].artifact
		a.Kin = append(a.Kin, a.Rare...)
		for _, list := range []*[]int32{&a.Kin, &a.Links, &a.Rare} {
			slices.Sort(*list)
			*list = slices.Compact(*list)
		}
	}
	slices.SortFunc(c.d.Links, func(a, b [2]int32) int { return slices.Compare(a[:], b[:]) })
	c.d.Links = slices.Compact(c.d.Links)
}

// inverse lets entities read their members.
func (c *assembler) inverse() {
	for i := range c.all {
		a := &c.all[i].artifact
		for _, p := range a.Parts {
			for _, edge := range p.Edges {
				c.build.Read(edge.To, train.Edge{To: a.Node, Relation: edge.Relation + 1})
			}
		}
	}
}
