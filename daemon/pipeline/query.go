package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"kilim/consumer/profile"
	"kilim/daemon/pipeline/atlas"
	"kilim/daemon/pipeline/clock"
	"kilim/daemon/pipeline/driftbound"
	"kilim/daemon/pipeline/listgraph"
	"kilim/daemon/pipeline/overdue"
	"kilim/daemon/pipeline/vectorindex"
	"kilim/daemon/pipeline/vocabulary"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode"
	"kilim/learner/refresh"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// ErrNotFound is wrapped by what is said of the artifact that was asked for. Whoever asks for a list that artifacts don't have
// gets topk.ErrUnknownList.
var ErrNotFound = errors.New("not found")

// Queries answers questions about the committed state of an Engine. It changes nothing.
type Queries struct {
	cfg       *Config
	store     *graphstore.Store
	words     *vocabulary.Vocabulary
	media     *encode.Media
	vectors   encode.Cache // of media
	refresher *refresh.Refresher
	lists     *topk.Lists
	overdue   *overdue.Age
}

// Queries answers questions about the state.
func (e *Engine) Queries() *Queries {
	return &Queries{cfg: &e.cfg, store: e.store, words: e.words, media: e.media, vectors: e.MediaState(), refresher: e.refresher, lists: e.lists, overdue: &e.overdue}
}

// View calls fn with the committed state.
func (q *Queries) View(fn func(*graphstore.Reader) error) error { return q.store.View(fn) }

// Answer is a list of similar artifacts, best first.
type Answer struct {
	ID, List string
	Epoch    uint32
	// Staleness tells how old what the answer knows may be.
	Staleness overdue.Staleness
	// DriftBound is nil where it is not known.
	DriftBound *driftbound.Bound
	Items      []rerank.Entry
}

// Index is that of the embeddings, for who only reads it.
func (e *Engine) Index() *vectorindex.Index { return e.index }

// Atlas compares the largest groups of a kind, by their embeddings, or by in, if it is not nil.
func (e *Engine) Atlas(q atlas.Question, in atlas.Index) (a *atlas.Answer, err error) {
	if q.Epoch = e.cfg.Epoch; in == nil {
		in = e.index
	}
	err = e.store.View(func(r *graphstore.Reader) error {
		a, err = atlas.Read(r, in, q)
		return err
	})
	return a, err
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
	Media []encode.View `json:"media"`
}

// EntityView is an entity as an artifact's neighbour.
type EntityView struct {
	Type      string `json:"type"`
	Key       string `json:"key"`
	Label     string `json:"label"`
	Artifacts uint32 `json:"artifacts"`
}

// Artifact returns a stored artifact with its place in the graph.
func (q *Queries) Artifact(_ context.Context, id string) (any, bool, error) {
	var view *ArtifactView
	err := q.store.View(func(r *graphstore.Reader) error {
		n, err := stored(r, id)
		if err != nil || n == nil {
			return err
		}
		doc, err := r.Artifact(id)
		if err != nil {
			return err
		}
		view = &ArtifactView{ID: id, Artifact: doc.Raw, Epoch: q.cfg.Epoch, Degree: n.Degree, Entities: []EntityView{}}
		if row, err := topk.Stored(listgraph.Reader{R: r}, uint64(n.ID)); err != nil {
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
			if ent != nil && ent.Type.IsEntity() {
				view.Entities = append(view.Entities, EntityView{ent.Type.String(), ent.Key, ent.DisplayLabel(), ent.Members})
			}
		}
		a, err := weave.Parse(doc)
		if err != nil {
			return fmt.Errorf("pipeline: %w", err)
		}
		view.Media, err = q.cfg.Encoders.Views(r, a, weave.Edges(a))
		return err
	})
	return view, view != nil, err
}

// stored returns the node of a stored artifact, nil when there is none of that id.
func stored(g *graphstore.Reader, id string) (*graphstore.Node, error) {
	n, err := g.Node(graphstore.ID(graphstore.Artifact, id))
	if err != nil || !n.IsArtifact() || n.Key != id {
		return nil, err
	}
	return n, nil
}

// Similar returns the first k of an artifact's list: as stored where that is
// long enough, computed now where it is not.
func (q *Queries) Similar(_ context.Context, id, list string, k int) (*Answer, error) {
	if err := q.lists.Known(list); err != nil {
		return nil, err
	}
	var answer *Answer
	staleness := q.overdue.Staleness() // before the state is read, which knows all that was done until then
	err := q.store.View(func(r *graphstore.Reader) error {
		n, err := stored(r, id)
		if err != nil {
			return err
		}
		if n == nil {
			return fmt.Errorf("%w: artifact %q", ErrNotFound, id)
		}
		answer = &Answer{ID: id, List: list, Epoch: q.cfg.Epoch, Staleness: staleness}
		if err := q.list(r, uint64(n.ID), k, answer); err != nil {
			return err
		}
		answer.DriftBound, err = q.driftBound(r, n, answer)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// list writes to answer its list of an artifact.
func (q *Queries) list(r *graphstore.Reader, node uint64, k int, answer *Answer) error {
	g := listgraph.Reader{R: r}
	row, err := topk.Stored(g, node)
	if err != nil {
		return err
	}
	if row == nil {
		return fmt.Errorf("pipeline: artifact %q has no lists", answer.ID)
	}
	if k <= min(q.cfg.ListSize, int(row.Size)) {
		answer.Items = row.Lists.Get(answer.List)
		answer.Items = answer.Items[:min(k, len(answer.Items))]
		answer.Staleness.Changes, err = q.behind(r, row)
		return err
	}
	query, _, err := q.lists.Query(g, node)
	if err != nil {
		return err
	}
	answer.Items, err = q.lists.Search(g, query, answer.List, k, nil)
	return err
}

// driftBound is that of an answer about an artifact.
func (q *Queries) driftBound(r *graphstore.Reader, n *graphstore.Node, a *Answer) (*driftbound.Bound, error) {
	weight := float32(1)
	if a.List == rerank.ListTotal {
		weight = q.cfg.Score.Cosine
	}
	return driftbound.Of(r, n, a.Items, weight, q.cfg.Epsilon)
}

// behind is how many changes there have been since stored lists were computed in full; nil: they are to be computed again.
func (q *Queries) behind(r *graphstore.Reader, row *topk.Row) (*int64, error) {
	rankedAt, ok := q.lists.RankedAt(row)
	if !ok {
		return nil, nil
	}
	now, err := clock.Read(r)
	n := now.Behind(rankedAt, r.Counts().Artifacts)
	return &n, err
}

// Embed puts vectors to the media of an artifact that is not stored, see encode.Media.Embed.
func (q *Queries) Embed(ctx context.Context, a *profile.Artifact) (map[int]error, error) {
	return q.media.Embed(ctx, q.vectors, a)
}

// Holders is the number of artifacts that have one in a list.
func (q *Queries) Holders(id string) int {
	return q.lists.Holders(uint64(graphstore.ID(graphstore.Artifact, id)))
}

// SimilarTo returns the list that an artifact which is not stored would get. It changes nothing. Media in the
// query itself are encoded on the spot, if that is quick.
func (q *Queries) SimilarTo(ctx context.Context, a *profile.Artifact, list string, k int) (*Answer, error) {
	if err := q.lists.Known(list); err != nil {
		return nil, err
	}
	x := q.words.Extract(a)
	media, err := q.media.OnTheSpot(ctx, q.vectors, a, x.Edges)
	if err != nil {
		return nil, err
	}
	answer := &Answer{ID: a.ID, List: list, Epoch: q.cfg.Epoch, Staleness: q.overdue.Staleness()}
	err = q.store.View(func(r *graphstore.Reader) error {
		feat := q.words.Features(x, media)
		vector, drift, err := q.refresher.Transient(r, feat, x.Edges, vocabulary.Contents(media))
		if err != nil {
			return err
		}
		query := topk.Query{Node: x.Evidence.Node, Evidence: x.Evidence, Vector: vector}
		if answer.Items, err = q.lists.Search(listgraph.Reader{R: r}, query, list, k, nil); err != nil {
			return err
		}
		own := &graphstore.Node{Type: graphstore.Artifact, DriftBound: drift, Epsilon: float64(q.cfg.Epsilon)}
		answer.DriftBound, err = q.driftBound(r, own, answer)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}
