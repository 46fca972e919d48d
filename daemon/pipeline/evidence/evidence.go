// Package evidence shows the gate (package gate) what the published list total is made of besides embeddings: words, entities, dates and
// links of stored artifacts, weighed as lists are. Lists reads them of committed states, beside the units at work. It must not know models,
// nor what the gate asks.
package evidence

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"kilim/daemon/pipeline/listgraph"
	"kilim/daemon/pipeline/vocabulary"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/train/gate"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// Lists are the lists total of a state without their cosines.
type Lists struct {
	store *graphstore.Store
	words *vocabulary.Vocabulary
	score rerank.ScoreWeights
}

// New returns the Lists of a state whose scores are weighed so.
func New(store *graphstore.Store, words *vocabulary.Vocabulary, score rerank.ScoreWeights) *Lists {
	return &Lists{store, words, score}
}

// Cosine is what a score counts a cosine of 1.
func (l *Lists) Cosine() float32 { return l.score.Cosine }

// Rest is described by gate.Lists. The asked ones are kept in memory, all others are read once, one after the other.
func (l *Lists) Rest(ctx context.Context, ids []string, asked []int32, hidden gate.Hidden, fn func(other int32, rest []float32)) error {
	scorer, err := rerank.NewScorer(l.score)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	err = l.store.View(func(r *graphstore.Reader) error {
		w := &walk{lists: l, r: r, scorer: scorer, hidden: hidden}
		w.weights, w.failed = topk.Weights(listgraph.Reader{R: r}, l.words.Table)
		if err := w.ask(ids, asked); err != nil {
			return err
		}
		return w.each(ctx, ids, fn)
	})
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}

// walk is one reading of a state.
type walk struct {
	lists   *Lists
	r       *graphstore.Reader
	scorer  *rerank.Scorer
	hidden  gate.Hidden
	weights rerank.Weights
	failed  func() error
	// asked is nil where an artifact can't be read.
	asked []*rerank.Comparison
}

func (w *walk) ask(ids []string, asked []int32) error {
	for _, n := range asked {
		e, err := w.evidence(ids[n], w.hidden.Origins)
		if err != nil {
			return err
		}
		var c *rerank.Comparison
		if e != nil {
			c = new(rerank.Comparison)
			c.Begin(w.scorer, w.weigh(e))
		}
		w.asked = append(w.asked, c)
	}
	return w.failed()
}

func (w *walk) each(ctx context.Context, ids []string, fn func(other int32, rest []float32)) error {
	rest := make([]float32, len(w.asked))
	for n, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := w.evidence(id, false)
		if err != nil {
			return err
		}
		if e == nil {
			continue
		}
		other := w.weigh(e)
		if err := w.failed(); err != nil {
			return err
		}
		for i, c := range w.asked {
			if rest[i] = float32(math.NaN()); c != nil {
				rest[i], _ = c.Score(other, 0)
			}
		}
		fn(int32(n), rest)
	}
	return nil
}

// weigh makes evidence ready to be scored. Units at work write the words' weights, which a lock for the whole walk would keep from them.
func (w *walk) weigh(e *rerank.Evidence) *rerank.Prepared {
	reading := w.lists.words.Reading()
	reading.Lock()
	defer reading.Unlock()
	return rerank.Prepare(e, w.weights)
}

// evidence returns that of an artifact, nil where it is gone or can't be read.
func (w *walk) evidence(id string, withoutOrigins bool) (e *rerank.Evidence, err error) {
	if withoutOrigins {
		_, a, err := weave.Read(w.r, id)
		if errors.Is(err, weave.ErrNoDocument) || errors.Is(err, graphstore.ErrDamaged) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		e = w.lists.words.Extract(weave.WithoutOrigins(a)).Evidence
	} else {
		n, err := w.r.Node(graphstore.ID(graphstore.Artifact, id))
		if err != nil || !n.IsArtifact() {
			return nil, err
		}
		if e, err = (listgraph.Reader{R: w.r}).Evidence(uint64(n.ID)); errors.Is(err, topk.ErrLost) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
	}
	if w.hidden.Links {
		e.Links = slices.Clip(e.Links[:0])
	}
	return e, nil
}
