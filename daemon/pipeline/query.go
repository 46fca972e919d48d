package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// ErrNotFound is wrapped by what is said of the artifact that was asked for. Whoever asks for a list that artifacts don't have
// gets topk.ErrUnknownList.
var ErrNotFound = errors.New("not found")

// Answer is a list of similar artifacts, best first.
type Answer struct {
	ID, List string
	Epoch    uint32
	Items    []rerank.Entry
}

// ArtifactView is the answer to a query for an artifact.
type ArtifactView struct {
	ID string `json:"id"`
	// Artifact is the JSON as it was received, unknown fields included.
	Artifact json.RawMessage `json:"artifact"`
	// Revision is that of the lists last published.
	Revision uint64 `json:"revision"`
	Epoch    uint32 `json:"epoch"`
	Degree   uint32 `json:"degree"`
	// Entities are those that the artifact is joined to, with the number of
	// artifacts that share each.
	Entities []EntityView `json:"entities"`
	// Media tell how far the encoding of its media has come, those that have no encoder are left out. A text is the
	// artifact's own.
	Media []MediaView `json:"media"`
}

// MediaView is where the encoding of a medium stands.
type MediaView struct {
	Kind string `json:"kind"`
	// Place is that among the record's media, from 0; a text has none.
	Place *int   `json:"place,omitempty"`
	State string `json:"state"` // waiting, encoded or refused
	// Since is when it began to wait, while it does.
	Since *time.Time `json:"since,omitempty"`
	// Encoder is the identity of who encoded or refused it.
	Encoder string `json:"encoder,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// EntityView is an entity as an artifact's neighbour.
type EntityView struct {
	Type      string `json:"type"`
	Key       string `json:"key"`
	Label     string `json:"label"`
	Artifacts uint32 `json:"artifacts"`
}

// Artifact returns a stored artifact with its place in the graph.
func (e *Engine) Artifact(_ context.Context, id string) (any, bool, error) {
	var view *ArtifactView
	err := e.store.View(func(r *graphstore.Reader) error {
		n, err := stored(r, id)
		if err != nil || n == nil {
			return err
		}
		doc, err := r.Artifact(id)
		if err != nil {
			return err
		}
		view = &ArtifactView{ID: id, Artifact: doc.Raw, Epoch: e.cfg.Epoch, Degree: n.Degree, Entities: []EntityView{}}
		if row, err := topk.Stored(listReader{r}, uint64(n.ID)); err != nil {
			return err
		} else if row != nil {
			view.Revision = row.Revision
		}
		var targets []graphstore.NodeID
		err = r.Edges(n.ID, func(edge graphstore.Edge) bool {
			if edge.Rel&graphstore.Inverse == 0 && edge.Rel != graphstore.RelMedia && edge.Rel != graphstore.RelLink {
				targets = append(targets, edge.To)
			}
			return true
		})
		if err != nil {
			return err
		}
		for _, t := range targets {
			ent, err := r.Node(t)
			if err != nil {
				return err
			}
			if ent != nil {
				view.Entities = append(view.Entities, EntityView{ent.Type.String(), ent.Key, ent.DisplayLabel(), ent.Members})
			}
		}
		view.Media, err = e.viewMedia(r, doc)
		return err
	})
	return view, view != nil, err
}

func (e *Engine) viewMedia(r *graphstore.Reader, doc *graphstore.Doc) ([]MediaView, error) {
	a, err := weave.Parse(doc, e.cfg.Limits)
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	views := []MediaView{}
	for _, m := range e.cfg.Encoders.MediaOf(a, weave.Edges(a)) {
		row, err := r.Media(m.Node)
		if err != nil {
			return nil, err
		}
		if row == nil {
			continue
		}
		v := MediaView{Kind: m.Kind, State: row.State.String(), Encoder: row.Encoder, Reason: row.Reason, Detail: row.Detail}
		if m.Kind != profile.Text {
			v.Place = &m.Place
		}
		if row.State == graphstore.MediaWaiting {
			v.Since = &row.Since
		}
		views = append(views, v)
	}
	return views, nil
}

// stored returns the node of a stored artifact, nil when there is none of that id.
func stored(g *graphstore.Reader, id string) (*graphstore.Node, error) {
	n, err := g.Node(graphstore.ID(graphstore.Artifact, id))
	if err != nil || !n.IsArtifact() || n.Key != id {
		return nil, err
	}
	return n, nil
}

// Similar returns the first k of an artifact's list: as published where the
// stored list is long enough, computed now where it is not.
func (e *Engine) Similar(_ context.Context, id, list string, k int) (*Answer, error) {
	if err := e.lists.Known(list); err != nil {
		return nil, err
	}
	var answer *Answer
	err := e.store.View(func(r *graphstore.Reader) error {
		n, err := stored(r, id)
		if err != nil {
			return err
		}
		if n == nil {
			return fmt.Errorf("%w: artifact %q", ErrNotFound, id)
		}
		answer = &Answer{ID: id, List: list, Epoch: e.cfg.Epoch}
		if k <= e.cfg.ListSize {
			row, err := topk.Stored(listReader{r}, uint64(n.ID))
			if err != nil {
				return err
			}
			if row == nil {
				return fmt.Errorf("pipeline: artifact %q has no lists", id)
			}
			answer.Items = row.Lists.Get(list)
			answer.Items = answer.Items[:min(k, len(answer.Items))]
			return nil
		}
		q, _, err := e.lists.Query(listReader{r}, uint64(n.ID))
		if err != nil {
			return err
		}
		answer.Items, err = e.lists.Search(listReader{r}, q, list, k, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// SimilarTo returns the list that an artifact which is not stored would get. It changes nothing. Media in the
// query itself are encoded on the spot, if that is quick.
func (e *Engine) SimilarTo(ctx context.Context, a *profile.Artifact, list string, k int) (*Answer, error) {
	if err := e.lists.Known(list); err != nil {
		return nil, err
	}
	w := extract(e.encoder, a)
	media, err := e.media.OnTheSpot(ctx, e, a, w.edges)
	if err != nil {
		return nil, err
	}
	answer := &Answer{ID: a.ID, List: list, Epoch: e.cfg.Epoch}
	err = e.store.View(func(r *graphstore.Reader) error {
		e.tableLock.RLock()
		feat := e.featuresOf(w, media)
		e.tableLock.RUnlock()
		vector, err := e.refresher.Transient(r, feat, w.edges)
		if err != nil {
			return err
		}
		q := topk.Query{Node: w.evidence.Node, Evidence: w.evidence, Vector: vector}
		answer.Items, err = e.lists.Search(listReader{r}, q, list, k, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// Status is where a state stands.
type Status struct {
	Artifacts, Placeholders int
	Nodes                   map[string]int // by type
	Edges                   map[string]int // by relation
	// RefreshQueue is what waits for the background, Outbox what waits for the brokers.
	RefreshQueue, Outbox int
	Epoch                uint32
	Revision             uint64
	IndexEngine          string
	Vectors              int
	// Consumed and Refused count the records since the start.
	Consumed, Refused int64
	Media             map[string]encode.Counts // by modality, of those that have an encoder
}

// Status tells where the state stands.
func (e *Engine) Status() Status {
	media := e.media.Counts() // before the queue, which gets what an answer sets off
	queue := e.queue.Load()   // before the outbox, which gets what the queue's work finds
	counts := e.store.Counts()
	depth, _ := e.store.OutboxDepth()
	return Status{
		Artifacts: counts.Artifacts, Placeholders: counts.Placeholders,
		Nodes: counts.NodesByType(), Edges: counts.EdgesByRelation(),
		RefreshQueue: int(queue), Outbox: depth,
		Epoch: e.cfg.Epoch, Revision: e.revision.Load(),
		IndexEngine: e.cfg.Engine, Vectors: e.index.Len(),
		Consumed: e.records.consumed.Load(), Refused: e.records.refused.Load(),
		Media: media,
	}
}
