package topk

import (
	"errors"

	"kilim/annindex"
	"kilim/rerank"
)

// Artifact is a stored artifact as its lists see it.
type Artifact struct {
	ID        string
	Embedding []float32
	// Drift is how far the embedding has moved since what that means for lists was last worked out.
	Drift float64
}

// Entity is what artifacts share: a maker, a culture, a material.
type Entity struct {
	Node uint64
	// Kind is the store's own, and comes back to it with Sharing.
	Kind uint8
	// Members is the number of artifacts that share it.
	Members int
}

// ErrLost is wrapped by Reader's error for evidence that nobody can read any more. Such an artifact keeps the lists it has and its
// places in those of others, and is no candidate, until a record brings it anew: a search must not fail for one of its candidates.
var ErrLost = errors.New("topk: evidence is lost")

// Reader is what lists read of one state of the graph. Artifacts and entities are nodes.
type Reader interface {
	// NodeOf is the node that an artifact of this id has or would have.
	NodeOf(id string) uint64
	// Artifact tells of a node whether it is a stored artifact, and which.
	Artifact(node uint64) (a Artifact, ok bool, err error)
	// Artifacts is the number of stored artifacts.
	Artifacts() int
	// Evidence of a stored artifact. An artifact without any is an error; one whose evidence is lost for good an ErrLost.
	Evidence(node uint64) (*rerank.Evidence, error)
	// Entity tells of a node whether it is known, and how many share it.
	Entity(node uint64) (e Entity, ok bool, err error)
	// Sharing calls fn for each artifact that shares e, by rising node, until it returns false.
	Sharing(e Entity, fn func(node uint64) bool) error
	// LinkedFrom calls fn for each artifact that links to this one, by rising node, until it returns false.
	LinkedFrom(node uint64, fn func(node uint64) bool) error
	// Lists is the row that PutLists stored, nil when there is none.
	Lists(node uint64) ([]byte, error)
}

// Graph is the graph as one unit of work sees and changes it.
type Graph interface {
	Reader
	PutLists(node uint64, row []byte) error
	DeleteLists(node uint64) error
	SetDrift(node uint64, drift float64) error
}

// Index finds the nearest embeddings, see annindex.Index.
type Index interface {
	Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error)
	SearchMany(vecs [][]float32, k int) ([][]annindex.Hit, error)
	Vector(id uint64, out []float32) bool
	Dim() int
}

// Words gives the inverse document frequency of a hashed word.
type Words interface {
	IDF(bucket uint32) float32
}
