package dataset

import (
	"fmt"

	"kilim/graphstore"
	"kilim/learner/model"
	"kilim/learner/refresh"
	"kilim/learner/train"
)

// modalityOf is the modality of a content.
func modalityOf(t graphstore.Type) string {
	if t == graphstore.Recording {
		return "audio"
	}
	return "image"
}

// mediaEdges are the relations to contents and back, with the number of the modality that hides them.
func mediaEdges(shape model.Config) map[int32]int {
	out := map[int32]int{}
	for i, m := range shape.Modalities {
		for _, t := range []graphstore.Type{graphstore.Picture, graphstore.Recording} {
			if modalityOf(t) == m.Name {
				for _, rel := range []graphstore.Relation{graphstore.Relation(t), graphstore.Relation(t) | graphstore.Inverse} {
					out[int32(refresh.RelationIndex(rel))] = i
				}
			}
		}
	}
	return out
}

// resolveContents finds the nodes of what a Record shows, where media are nodes. To hold the same picture is to share a rare entity.
func (b *Builder) resolveContents(own *builtRecord, r Record) error {
	if b.cfg.Shape.Media != model.MediaNodes {
		return nil
	}
	seen := map[graphstore.NodeID]bool{}
	for _, c := range r.Vectors.Contents {
		id := c.ID()
		if seen[id] || !b.shows(c.Type) {
			continue
		}
		seen[id] = true
		node, known := b.nodes[id]
		if !known {
			features, err := b.contentFeatures(c)
			if err != nil {
				return err
			}
			node = b.node(features...)
			b.nodes[id] = node
		}
		own.contents = append(own.contents, train.Edge{To: node, Relation: int32(refresh.RelationIndex(graphstore.Relation(c.Type)))})
		own.entities = append(own.entities, id)
	}
	return nil
}

// shows tells whether the models have the modality of a content.
func (b *Builder) shows(t graphstore.Type) bool {
	for _, m := range b.cfg.Shape.Modalities {
		if m.Name == modalityOf(t) {
			return true
		}
	}
	return false
}

// contentFeatures are those of each modality: the record of a node of its type that says nothing, and its vector.
func (b *Builder) contentFeatures(c Content) ([][]float32, error) {
	record := make([]float32, b.records.width)
	_, _, kind := b.records.split(record)
	if len(kind) <= int(c.Type) {
		return nil, fmt.Errorf("a record has %d types in the model, a %s is number %d", len(kind), c.Type, c.Type)
	}
	kind[c.Type] = 1
	out := [][]float32{record}
	for _, m := range b.cfg.Shape.Modalities[1:] {
		if m.Name == modalityOf(c.Type) {
			out = append(out, c.Vector)
		} else {
			out = append(out, nil)
		}
	}
	return out, nil
}

// addContentEdges lets artifacts read what they hold, and contents those that hold them; queries read, and are not read.
func (b *Builder) addContentEdges() {
	for _, a := range b.artifacts {
		for _, edge := range a.contents {
			b.set.AddEdge(a.artifact.Node, edge)
			b.set.AddEdge(edge.To, train.Edge{To: a.artifact.Node, Relation: edge.Relation + 1})
		}
	}
	for _, q := range b.queries {
		for _, edge := range q.contents {
			b.set.AddEdge(q.artifact.Node, edge)
		}
	}
}
