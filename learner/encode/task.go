package encode

import (
	"context"
	"errors"
	"time"

	"kilim/graphstore"
	"kilim/learner/encode/feature"
)

// Task is a medium to be encoded, or an artifact whose text is.
type Task struct {
	Node graphstore.NodeID
	Kind string // "text", "image" or "audio"
	// Revision is that of the question: an answer with another one is not to this.
	Revision uint64
	// Since is when it began to wait.
	Since time.Time
	// Known is true when it has been answered before, by a refusal that may not hold any more. It comes after what
	// nobody has answered.
	Known bool
}

// Source is what a task is about.
type Source struct {
	Item feature.Item // without Data or Text when these have to be fetched
	URI  string       // where from, if they have
}

// Answer is what became of a task: a vector, or the refusal.
type Answer struct {
	Task
	// Content names the bytes; it is zero when they could not be had.
	Content graphstore.Content
	Vector  []float32
	Refusal *feature.Refusal
	// Encoder is the identity of who answered.
	Encoder string
}

// ErrOutdated is the answer of State.Source when nobody asks any more.
var ErrOutdated = errors.New("encode: the task is outdated")

// State is what the questions come from and the answers go to. It is called concurrently.
type State interface {
	// Source returns what a task is about, or ErrOutdated.
	Source(Task) (Source, error)
	// Vector returns what an encoder made of a content, nil if nobody has asked it yet.
	Vector(c graphstore.Content, encoder string) ([]float32, error)
	// Answer makes answers durable, with all that follows from them. Those to outdated questions are dropped.
	Answer(ctx context.Context, answers []Answer) error
}

// Fetcher brings the bytes behind the URI of a medium of a kind. A *feature.Refusal in the error's chain is permanent; after any other error
// it may be asked again.
type Fetcher interface {
	Fetch(ctx context.Context, kind, uri string) ([]byte, error)
}
