package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kilim/daemon/browse"
	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/listgraph"
	"kilim/daemon/themes/stored"
	"kilim/daemon/web"
	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// History is what is known of one of an artifact's published lists since a date.
func (s *service) History(_ context.Context, id, list string, since time.Time) (*browse.History, error) {
	var past *rerank.Past
	var err error
	if name, themed := strings.CutPrefix(list, themeList("")); themed {
		past, err = s.themePast(id, name)
	} else {
		past, err = s.past(id)
	}
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
		pasts := []*rerank.Past{past}
		if err := s.eachThemePast(one, func(_ string, past *rerank.Past) { pasts = append(pasts, past) }); err != nil {
			return nil, err
		}
		why.Met = browse.MetOf(other, pasts...)
	}
	return why, nil
}

// themePast is what is known of an artifact's list of a theme as it was published.
func (s *service) themePast(id, theme string) (found *rerank.Past, err error) {
	if _, err := s.past(id); err != nil {
		return nil, err
	}
	if err := s.eachThemePast(id, func(name string, past *rerank.Past) {
		if name == theme {
			found = past
		}
	}); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, fmt.Errorf("%w: what list %q of artifact %q was: it has none that is published, or the first change that is noted is yet to come", web.ErrNotFound, themeList(theme), id)
	}
	return found, nil
}

// eachThemePast calls fn with the past of each of an artifact's lists of themes of which one is known.
func (s *service) eachThemePast(id string, fn func(theme string, past *rerank.Past)) error {
	node := graphstore.ID(graphstore.Artifact, id)
	return webError(serving{s.app}.View(func(r *graphstore.Reader) error {
		b, err := r.ThemeLists(node)
		if err != nil || b == nil {
			return err
		}
		var row stored.Row
		if err := row.Unmarshal(b); err != nil || row.ID != id {
			return err
		}
		for i := range row.Lists {
			theme := row.Lists[i].Theme
			kept, err := r.ThemePast(node, theme)
			if err != nil {
				return err
			}
			past, err := row.Past(theme, kept)
			if err != nil {
				return fmt.Errorf("artifact %q: list of theme %q: %w", id, theme, err)
			}
			if past != nil {
				fn(theme, past)
			}
		}
		return nil
	}))
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
