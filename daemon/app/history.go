package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kilim/daemon/browse"
	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/listgraph"
	"kilim/daemon/web"
	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// History is what is known of one of an artifact's published lists since a date.
func (s *service) History(_ context.Context, id, list string, since time.Time) (*browse.History, error) {
	past, err := s.past(id)
	if err != nil {
		return nil, err
	}
	h := browse.HistoryOf(past, id, list, since)
	return h, browseError(s.app.shelves.cards.Tell(h))
}

// Why tells what two artifacts share, and how the other came to its ranks in the lists of the one, if that has been published.
func (s *service) Why(_ context.Context, one, other string) (*browse.Why, error) {
	why, err := s.app.shelves.cards.Why(one, other)
	if err != nil {
		return nil, browseError(err)
	}
	past, err := s.past(one)
	switch {
	case errors.Is(err, web.ErrUnavailable):
	case err != nil:
		return nil, err
	default:
		why.Met = browse.MetOf(past, other)
	}
	return why, nil
}

// past is what is known of an artifact's lists as they were published.
func (s *service) past(id string) (past *rerank.Past, err error) {
	node := graphstore.ID(graphstore.Artifact, id)
	err = serving{s.app}.View(func(r *graphstore.Reader) error {
		n, err := r.Node(node)
		if err != nil {
			return err
		}
		if !n.IsArtifact() || n.Key != id {
			return fmt.Errorf("%w: artifact %q", pipeline.ErrNotFound, id)
		}
		row, err := topk.Stored(listgraph.Reader{R: r}, uint64(node))
		if err != nil {
			return err
		}
		if row == nil || row.Revision == 0 {
			return fmt.Errorf("%w: the lists of artifact %q are not published yet by the state that serves", web.ErrUnavailable, id)
		}
		past, err = row.Past(id)
		return err
	})
	return past, webError(err)
}
