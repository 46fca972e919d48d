package graphstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// PutArtifact inserts an artifact or replaces it, and brings its edges to what
// specs ask for; specs for the same target make one edge. Missing entities and
// media are created, and placeholders for link targets that are not there; a
// placeholder of the artifact becomes the artifact and keeps the edges to it.
// Targets that lose their last edge go. Edges to contents stay as they are: PutContents
// changes these.
//
// The vectors of existing nodes are left alone. An id or target whose NodeID
// belongs to another key is an ErrCollision, and nothing changes; see KeyCheck.
func (t *Tx) PutArtifact(doc Doc, specs []EdgeSpec) (Change, error) {
	change, err := t.putArtifact(doc, specs)
	if err != nil {
		return Change{}, fmt.Errorf("graphstore: put artifact %q: %w", doc.ID, err)
	}
	return change, nil
}

func (t *Tx) putArtifact(doc Doc, specs []EdgeSpec) (Change, error) {
	if t.broken != nil {
		return Change{}, t.broken
	}
	if doc.ID == "" {
		return Change{}, errors.New("the id is empty")
	}
	if err := t.s.checkSize("its content", len(doc.Raw)); err != nil {
		return Change{}, err
	}
	if err := t.s.checkSize("its id with its evidence", len(doc.ID)+len(doc.Evidence)); err != nil {
		return Change{}, err
	}
	if doc.Topic != "" {
		if err := checkPartition(doc.Topic, doc.Partition); err != nil {
			return Change{}, err
		}
	}
	id := ID(Artifact, doc.ID)
	want, err := wanted(doc.ID, specs)
	if err != nil {
		return Change{}, err
	}
	size := 0
	for i := range want {
		size += want[i].detail.size()
	}
	if err := t.s.checkSize("what it says of its edges", size); err != nil {
		return Change{}, err
	}
	// find, outgoing and editAll return all errors that are about the argument; edgeDiff, which makes the changes, has only those of
	// reading.
	self, err := t.find(id, Artifact, doc.ID)
	if err != nil {
		return Change{}, err
	}
	for i := range want {
		if _, err := t.find(want[i].to, want[i].typ, want[i].key); err != nil {
			return Change{}, err
		}
	}
	var have []edgeChange
	if self != nil && !self.Placeholder {
		if have, err = t.outgoing(id); err != nil {
			return Change{}, err
		}
		have = slices.DeleteFunc(have, func(e edgeChange) bool { return Type(e.rel).IsContent() })
	}
	if err := t.editAll(id, want, have); err != nil {
		return Change{}, err
	}

	d := &edgeDiff{t: t, Change: Change{Artifact: id}}
	d.putNode(doc.ID)
	d.apply(want, have)
	t.ov.rows[string(idKey(keyDoc, id))] = encodeDoc(&doc)
	t.ov.rows[string(idKey(keyRaw, id))] = encodeBlob(doc.Raw)
	return d.done()
}

// DeleteArtifact removes an artifact with its edges, and its lists at Commit:
// until then they can be read, for the caller takes the artifact out of the
// lists of others by them.
// If others link to it, a placeholder stays, with the edges to it and their
// sums but without content and other vectors. Deleting what is not there
// changes nothing.
func (t *Tx) DeleteArtifact(id string) (Change, error) {
	change, err := t.deleteArtifact(id)
	if err != nil {
		return Change{}, fmt.Errorf("graphstore: delete artifact %q: %w", id, err)
	}
	return change, nil
}

func (t *Tx) deleteArtifact(key string) (Change, error) {
	if t.broken != nil {
		return Change{}, t.broken
	}
	id := ID(Artifact, key)
	self, err := t.find(id, Artifact, key)
	if err != nil {
		return Change{}, err
	}
	if self == nil || self.Placeholder {
		return Change{Artifact: id}, nil
	}
	have, err := t.outgoing(id)
	if err != nil {
		return Change{}, err
	}
	if err := t.editAll(id, nil, have); err != nil {
		return Change{}, err
	}
	d := &edgeDiff{t: t, Change: Change{Artifact: id, Deleted: true}}
	last := t.ov.nodes[id].last()
	d.apply(nil, have)
	n := t.ov.nodes[id]
	t.state.counts.node(n, -1)
	if n.Members == 0 {
		d.gone(n, last)
	} else {
		n.Placeholder = true
		n.Features, n.Hidden, n.Embedding = nil, nil, nil
		if n.Third != nil {
			n.Third.Hidden = nil
		}
		n.EncodedAt, n.Drift, n.DriftBound, n.Epsilon = 0, 0, 0, 0
		t.state.counts.node(n, 1)
	}
	t.ov.rows[string(idKey(keyDoc, id))] = nil
	t.ov.rows[string(idKey(keyRaw, id))] = nil
	t.ov.deleted[id] = struct{}{}
	return d.done()
}

// find returns the node of a key, nil if there is none.
func (t *Tx) find(id NodeID, typ Type, key string) (*Node, error) {
	n, err := t.Node(id)
	if err != nil {
		return nil, err
	}
	if n == nil {
		if _, removed := t.own(id); !removed {
			t.ov.absentBelow[id] = struct{}{} // so that no read of this Tx looks for it again
		}
		return nil, nil
	}
	if n.Type != typ || n.Key != key {
		return nil, typedKey{typ, key}.collides(typedKey{n.Type, n.Key})
	}
	return n, nil
}

// editAll makes the Tx's copies of all nodes that a change touches, so that the
// change itself can't fail.
func (t *Tx) editAll(id NodeID, want []wantedEdge, have []edgeChange) error {
	if _, err := t.Edit(id); err != nil {
		return err
	}
	for i := range want {
		if _, err := t.Edit(want[i].to); err != nil {
			return err
		}
	}
	for i := range have {
		n, err := t.Edit(have[i].to)
		if err == nil && n == nil {
			err = fmt.Errorf("edge (%s) to node %016x, which does not exist", have[i].rel, uint64(have[i].to))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// wantedEdge is one edge that an artifact asks for, with its target.
type wantedEdge struct {
	edgeEnd
	typ    Type
	key    string
	detail *detail
}

// wanted checks specs and joins those for one target, in scan order.
func wanted(id string, specs []EdgeSpec) ([]wantedEdge, error) {
	out := make([]wantedEdge, 0, len(specs))
	details, texts := make([]detail, len(specs)), make([]string, 0, 2*len(specs))
	one := func(text string) []string {
		texts = append(texts, text)
		return texts[len(texts)-1 : len(texts) : len(texts)]
	}
	for i, s := range specs {
		if err := s.check(id); err != nil {
			return nil, fmt.Errorf("edge %d: %w", i, err)
		}
		w := wantedEdge{edgeEnd: edgeEnd{s.Rel, ID(s.Type, s.Key)}, typ: s.Type, key: s.Key, detail: &details[i]}
		if s.Label != "" {
			w.detail.labels = one(s.Label)
		}
		if s.LinkType != "" {
			w.detail.linkTypes = one(s.LinkType)
		}
		out = append(out, w)
	}
	slices.SortStableFunc(out, func(a, b wantedEdge) int { return a.compare(b.edgeEnd) })
	n := 0
	for i := range out {
		if n == 0 || out[n-1].edgeEnd != out[i].edgeEnd {
			out[n] = out[i]
			n++
			continue
		}
		first := &out[n-1]
		if first.typ != out[i].typ || first.key != out[i].key {
			return nil, typedKey{out[i].typ, out[i].key}.collides(typedKey{first.typ, first.key})
		}
		first.detail.labels = union(first.detail.labels, out[i].detail.labels)
		first.detail.linkTypes = union(first.detail.linkTypes, out[i].detail.linkTypes)
	}
	return out[:n], nil
}

func union(a, b []string) []string {
	a = append(a, b...)
	slices.Sort(a)
	return slices.Compact(a)
}

func (s *EdgeSpec) check(id string) error {
	switch {
	case s.Type < Artifact || s.Type >= numTypes:
		return fmt.Errorf("type %d: unknown", s.Type)
	case s.Rel != relationTo(s.Type):
		return fmt.Errorf("relation %s to a node of type %s: want %s", s.Rel, s.Type, relationTo(s.Type))
	case s.Key == "":
		return fmt.Errorf("the key of a target of type %s is empty", s.Type)
	case s.Type.IsContent():
		return fmt.Errorf("a %s is no target of a document", s.Type)
	case s.Type.IsMedia() && !strings.HasPrefix(s.Key, id+"\x00"):
		return fmt.Errorf("media key %q: want the artifact's id, a zero byte and an ordinal", s.Key)
	}
	return nil
}
