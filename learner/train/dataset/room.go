package dataset

import (
	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/model"
)

// What a snapshot may take in memory. An artifact of a real archive, with a picture and an entity of its own, takes some 30 kB.
const (
	// RoomPerArtifact is for each artifact of the snapshot's limit.
	RoomPerArtifact = 48 << 10

	leastArtifacts = 1000 // a snapshot of a smaller limit has the room of so many
	roomOfOne      = 64 * RoomPerArtifact
	pieceBytes     = 256 // of a piece beside its text: a weave.Piece, its edges in both directions
	linkBytes      = 64  // of a link, as both artifacts have it
)

// room bounds the memory of a snapshot. A limit of artifacts alone does not bound it: a record may bring 4,096 entities that
// nobody else has, each with features of 8 kB, or a text of a megabyte; 20,000 such records take hundreds of gigabytes, and a
// daemon that a training has ended so begins the same training at each start.
//
// It counts what the Set and the Builder keep, from above, as a function of the documents: so the same snapshot is made of the
// same archive.
type room struct {
	left     int
	entities map[graphstore.NodeID]struct{}
	node     int            // bytes of the features of an artifact
	entity   int            // of an entity
	media    map[string]int // of a picture and a recording, where these are nodes
}

func newRoom(shape model.Config, limit int) *room {
	r := &room{left: max(limit, leastArtifacts) * RoomPerArtifact, entities: map[graphstore.NodeID]struct{}{}, media: map[string]int{}}
	for i, m := range shape.Modalities {
		r.node += 4 * m.Features
		if i == 0 {
			r.entity = 4 * m.Features
		} else if shape.Media == model.MediaNodes {
			r.media[m.Name] = pieceBytes + 4*m.Features
		}
	}
	return r
}

// Answers of room.take.
const (
	taken   = iota
	tooMuch // for one artifact: from a list of thousands of terms there is nothing to learn, and it would leave no room for others
	full
)

// take makes room for an artifact, with its pieces, unless there is none.
func (r *room) take(a *profile.Artifact) int {
	bytes := r.node + linkBytes*len(a.Link)
	fresh := map[graphstore.NodeID]struct{}{}
	for _, p := range weave.Pieces(a) {
		bytes += pieceBytes
		for _, t := range p.Texts {
			bytes += len(t.Body)
		}
		for _, e := range p.Edges {
			id := graphstore.ID(e.Type, e.Key)
			if _, known := r.entities[id]; !known {
				fresh[id] = struct{}{}
			}
		}
	}
	bytes += len(fresh) * r.entity
	for i := range a.Media {
		bytes += r.media[a.Media[i].Kind]
	}
	for name, labels := range a.Theme {
		bytes += pieceBytes + len(name)
		for _, l := range labels {
			bytes += pieceBytes + len(l)
		}
	}
	switch {
	case bytes > roomOfOne:
		return tooMuch
	case bytes > r.left:
		return full
	}
	r.left -= bytes
	for id := range fresh {
		r.entities[id] = struct{}{}
	}
	return taken
}
