package graphstore

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// Key is that of the node of a content.
func (c Content) Key() string { return hex.EncodeToString(c[:]) }

// Held is a content that an artifact holds.
type Held struct {
	Type    Type // Picture or Recording
	Content Content
}

// ID is that of the content's node.
func (h Held) ID() NodeID { return ID(h.Type, h.Content.Key()) }

// PutContents brings the edges from a stored artifact to contents to those that it holds, each once. A content that nobody held
// gets its node, and one that nobody holds any more loses it; the vectors of both are the caller's. A content whose NodeID belongs
// to another key is left out, for it comes from bytes that no record check has seen: to fail would let two pictures stop the store.
//
// The edges are not among the specs of PutArtifact: what bytes are behind a URI is known long after the record has come.
func (t *Tx) PutContents(artifact NodeID, held []Held) (Change, error) {
	change, err := t.putContents(artifact, held)
	if err != nil {
		return Change{}, fmt.Errorf("graphstore: put contents of %016x: %w", uint64(artifact), err)
	}
	return change, nil
}

func (t *Tx) putContents(artifact NodeID, held []Held) (Change, error) {
	if t.broken != nil {
		return Change{}, t.broken
	}
	if n, err := t.Node(artifact); err != nil || !n.IsArtifact() {
		return Change{}, errors.Join(err, errors.New("no artifact that is stored"))
	}
	have, err := t.outgoing(artifact)
	if err != nil {
		return Change{}, err
	}
	have = slices.DeleteFunc(have, func(e edgeChange) bool { return !Type(e.rel).IsContent() })
	want, err := t.wantedContents(held)
	if err != nil {
		return Change{}, err
	}
	d := &edgeDiff{t: t, Change: Change{Artifact: artifact}}
	if slices.EqualFunc(want, have, func(w wantedEdge, h edgeChange) bool { return w.edgeEnd == h.edgeEnd }) {
		return d.done()
	}
	if err := t.editAll(artifact, want, have); err != nil {
		return Change{}, err
	}
	d.apply(want, have)
	return d.done()
}

// wantedContents are the edges to contents, in scan order.
func (t *Tx) wantedContents(held []Held) (want []wantedEdge, err error) {
	for _, h := range held {
		if !h.Type.IsContent() || h.Content == (Content{}) {
			return nil, fmt.Errorf("%s %s: want a content", h.Type, h.Content.Key())
		}
		w := wantedEdge{edgeEnd: edgeEnd{Relation(h.Type), h.ID()}, typ: h.Type, key: h.Content.Key(), detail: &detail{}}
		_, err := t.find(w.to, w.typ, w.key)
		if errors.Is(err, ErrCollision) {
			continue
		}
		if err != nil {
			return nil, err
		}
		want = append(want, w)
	}
	slices.SortFunc(want, func(a, b wantedEdge) int { return a.compare(b.edgeEnd) })
	return slices.CompactFunc(want, func(a, b wantedEdge) bool { return a.edgeEnd == b.edgeEnd }), nil
}
