package encode

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
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
	// Again is true when it has been answered before, by a refusal that may not hold any more. It comes after what
	// nobody has answered.
	Again bool
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

// Fitting is the number of answers with at most so many vectors among them: those are what takes time.
func Fitting(answers []Answer, vectors int) int {
	for i := range answers {
		if answers[i].Vector == nil {
			continue
		}
		if vectors--; vectors < 0 {
			return i
		}
	}
	return len(answers)
}

// ErrOutdated is the answer of State.Source when nobody asks any more.
var ErrOutdated = errors.New("encode: the task is outdated")

// Source reads what the task is about from the graph and from the artifact's record, or returns ErrOutdated.
func (t Task) Source(g Reader, artifact func(id string) (*profile.Artifact, error)) (Source, error) {
	row, err := g.Media(t.Node)
	if err != nil {
		return Source{}, err
	}
	if row == nil || row.Revision != t.Revision {
		return Source{}, ErrOutdated
	}
	n, err := g.Node(t.Node)
	if err != nil {
		return Source{}, err
	}
	a, err := artifact(weave.Owner(n))
	if err != nil {
		return Source{}, fmt.Errorf("encode: media node %q: %w", n.Key, err)
	}
	s := Source{Item: feature.Item{Kind: t.Kind}}
	if t.Kind == profile.Text {
		s.Item.Text = weave.Joined(a)
		return s, nil
	}
	i, err := weave.Place(n)
	if err == nil && i >= len(a.Media) {
		err = fmt.Errorf("the record has %d media", len(a.Media))
	}
	if err != nil {
		return Source{}, fmt.Errorf("encode: media node %q: %w", n.Key, err)
	}
	s.Item.MediaType, s.Item.Data, s.URI = a.Media[i].MediaType, a.Media[i].Data, a.Media[i].URI
	return s, nil
}

// Cache is what encoders have made until now.
type Cache interface {
	// Vector returns what the encoder of that identity made of a content, nil if nobody has asked it yet.
	Vector(c graphstore.Content, encoder string) ([]float32, error)
}

// State is what the questions come from and the answers go to. It is called concurrently.
type State interface {
	Cache
	// Source returns what a task is about, or ErrOutdated. A task whose Source is a graphstore.ErrDamaged is passed over.
	Source(Task) (Source, error)
	// Answer makes answers durable, with all that follows from them. Those to outdated questions are dropped.
	Answer(ctx context.Context, answers []Answer) error
}

// Fetcher brings the bytes behind the URI of a medium of a kind. A *feature.Refusal in the error's
// chain is permanent; after any other error it may be asked again. A *feature.Unreachable tells that nothing else of the
// URI's host can be had now either.
type Fetcher interface {
	Fetch(ctx context.Context, kind, uri string) ([]byte, error)
}
