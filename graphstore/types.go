package graphstore

import (
	"fmt"
	"time"
)

// NodeID identifies a node: see ID. It does not depend on the order of arrival
// nor on the instance that first saw the node.
type NodeID uint64

// Type is what a node is. Its values are stored: never renumber them.
type Type uint8

// The types of nodes. Text, Image and Audio are media; those from Culture to Decade
// are entities. Picture and Recording are contents: what media are when their bytes
// are known, one node for all media of the same bytes (see Tx.PutContents).
const (
	Artifact   Type = 1
	Text       Type = 2
	Image      Type = 3
	Audio      Type = 4
	Culture    Type = 5
	Period     Type = 6
	Dynasty    Type = 7
	Reign      Type = 8
	Style      Type = 9
	Creator    Type = 10
	Place      Type = 11
	Material   Type = 12
	Technique  Type = 13
	Kind       Type = 14 // the catalogue's "type" field
	Subject    Type = 15
	Collection Type = 16
	Decade     Type = 17
	Picture    Type = 18
	Recording  Type = 19

	numTypes = 20 // types are 1..numTypes-1
)

// String is the type's name as it is used in ids, metrics and the HTTP API.
func (t Type) String() string {
	if name := typeName(t); name != "" {
		return name
	}
	return fmt.Sprintf("type-%d", uint8(t))
}

// IsEntity tells the types of what artifacts may share.
func (t Type) IsEntity() bool { return t >= Culture && t <= Decade }

// IsContent tells the types of what media of the same bytes share.
func (t Type) IsContent() bool { return t == Picture || t == Recording }

func typeName(t Type) string {
	switch t {
	case Artifact:
		return "artifact"
	case Text:
		return "text"
	case Image:
		return "image"
	case Audio:
		return "audio"
	case Culture:
		return "culture"
	case Period:
		return "period"
	case Dynasty:
		return "dynasty"
	case Reign:
		return "reign"
	case Style:
		return "style"
	case Creator:
		return "creator"
	case Place:
		return "place"
	case Material:
		return "material"
	case Technique:
		return "technique"
	case Kind:
		return "type"
	case Subject:
		return "subject"
	case Collection:
		return "collection"
	case Decade:
		return "decade"
	case Picture:
		return "picture"
	case Recording:
		return "recording"
	}
	return ""
}

// IsMedia tells the types that belong to one artifact.
func (t Type) IsMedia() bool { return t >= Text && t <= Audio }

// Relation is the kind of an edge. From an artifact to an entity it has the
// value of the entity's Type. Its values are stored: never renumber them.
type Relation uint8

const (
	// RelLink joins an artifact to another that it names.
	RelLink = Relation(Artifact)
	// RelMedia joins an artifact to its media, whatever their type.
	RelMedia = Relation(Text)
	// Inverse is the bit that turns a relation round.
	Inverse Relation = 0x80
)

// String is the relation's name, with the prefix "inverse-" if it is one.
func (r Relation) String() string {
	if r&Inverse != 0 {
		return "inverse-" + (r &^ Inverse).String()
	}
	switch {
	case r == RelLink:
		return "link"
	case r == RelMedia:
		return "media"
	}
	return Type(r).String()
}

// relationTo is the relation of an artifact to a node of type t.
func relationTo(t Type) Relation {
	if t.IsMedia() {
		return RelMedia
	}
	return Relation(t)
}

// Label is a way in which artifacts write an entity, with the number of
// artifacts that do.
type Label struct {
	Text  string
	Count uint32
}

// Node is a node of the graph. One that was not got from Tx.Edit is shared:
// it may be read concurrently and must not be modified.
//
// ID, Type, Key, Placeholder, Labels, OtherLabels, Degree and Members are the store's own:
// changes made to them through Tx.Edit break its invariants. The rest is
// opaque to the store, which keeps and returns it; an empty vector comes back
// as nil.
type Node struct {
	ID   NodeID
	Type Type
	// Key is the artifact's id, the entity's URI or normalized label, for
	// media the artifact's id, 0x00 and the item's ordinal, or for a content
	// its name in hexadecimal digits (Content.Key).
	Key string
	// Placeholder marks an artifact that others link to and that is not there.
	Placeholder bool
	// Labels are the 64 that most artifacts use (the smaller text among equals), sorted by text, with the number of artifacts
	// that use each. Entities and media have them.
	Labels []Label
	// OtherLabels is the number of labels in use that are not among Labels.
	OtherLabels uint32
	// Degree is the number of edges at the node, in both directions: the
	// length of its scan.
	Degree uint32
	// Members is the number of edges from artifacts to this node.
	Members uint32

	Features         []float32
	Sum1, Sum2       []int64
	Hidden           []float32
	Embedding        []float32
	EncodedAt, Drift float64
	// DriftBound is how far the Embedding may be from the exact one by the Epsilon that it was made with (package refresh).
	DriftBound, Epsilon float64
	// Third is nil in a model of two layers.
	Third *Third
}

// Third is what a node has besides in a model of three layers: what it has told of its second-layer vector, and the sum of what others
// have told it of theirs.
type Third struct {
	Hidden []float32
	Sum    []int64
}

// third returns Third, empty where there is none.
func (n *Node) third() (t Third) {
	if n.Third != nil {
		t = *n.Third
	}
	return t
}

// IsArtifact tells that the node is an artifact that is stored, not a placeholder. A nil node
// is none.
func (n *Node) IsArtifact() bool { return n != nil && n.Type == Artifact && !n.Placeholder }

// DisplayLabel is the label that most artifacts use, the smallest among
// equals, and the key of a node without labels.
func (n *Node) DisplayLabel() string {
	best := Label{Text: n.Key}
	for _, l := range n.Labels {
		if l.Count > best.Count {
			best = l
		}
	}
	return best.Text
}

// Edge is seen from its end From. The same edge seen from To has the other
// value of the bit Inverse in Rel.
type Edge struct {
	From NodeID
	Rel  Relation
	To   NodeID
}

// Reverse is the edge seen from its other end.
func (e Edge) Reverse() Edge { return Edge{From: e.To, Rel: e.Rel ^ Inverse, To: e.From} }

// EdgeSpec asks for one edge of an artifact and describes its target.
type EdgeSpec struct {
	// Type and Key name the target, see Node.Key.
	Type Type
	Key  string
	// Rel must be the one that leads to Type: RelLink to an Artifact, RelMedia
	// to media, Relation(Type) to an entity.
	Rel Relation
	// Label is how the artifact writes the target. It may be empty.
	Label string
	// LinkType says how a link's target is related; it is kept with the edge.
	LinkType string
}

// Doc is an artifact's content.
type Doc struct {
	ID        string
	Raw       []byte
	Timestamp time.Time // kept to the nanosecond, in UTC
	Evidence  []byte    // opaque
	// Topic and Partition are where the record came in that the content is of.
	Topic     string
	Partition int
}

// Change is what one PutArtifact or DeleteArtifact did to the graph, exactly:
// an edge that was there before and is after is in neither list.
type Change struct {
	Artifact NodeID
	// Created: the artifact was not there, or was only a placeholder.
	Created bool
	// Replaced: the artifact was there and has new content.
	Replaced bool
	// Deleted: the artifact was there and no longer is.
	Deleted bool
	// Added and Removed are the artifact's own edges, in scan order.
	Added, Removed []Edge
	// NewNodes did not exist before in any form; GoneNodes no longer exist.
	// Both ascend. A placeholder that became the artifact, or the reverse, is
	// in neither.
	NewNodes, GoneNodes []NodeID
	// Gone holds the last value of each of GoneNodes, with the Degree, Members
	// and Labels that it had before the call.
	Gone map[NodeID]*Node
}

// OutboxEntry is a message that waits for its acknowledgement.
type OutboxEntry struct {
	Seq   uint64
	Time  time.Time // when it was enqueued
	Value []byte
}

// Position is how far a partition of an output topic was known to be written
// when messages were last acknowledged.
type Position struct {
	Topic     string
	Partition int
	Next      int64
}
