package app

import (
	"context"
	"errors"
	"fmt"

	"kilim/consumer/profile"
	"kilim/daemon/browse"
	"kilim/daemon/pipeline"
	"kilim/daemon/themes"
	"kilim/daemon/web"
	"kilim/learner/encode"
	"kilim/learner/encode/feature"
	"kilim/rerank"
)

// Ask makes all lists that an artifact would have; its media are encoded once for all of them.
func (s *service) Ask(ctx context.Context, a *profile.Artifact, k int) (*web.Asked, error) {
	if err := s.embed(ctx, a); err != nil {
		return nil, err
	}
	out := &web.Asked{Lists: []browse.List{}}
	for _, name := range []string{rerank.ListTotal, rerank.ListGeneral} {
		found, err := s.SimilarTo(ctx, a, name, k)
		if err != nil {
			return nil, err
		}
		out.Epoch = found.Epoch
		out.Lists = append(out.Lists, browse.ListOf(score(&s.app.cfg.Lists.Weights), rerank.List{Name: name, Entries: found.Items}))
	}
	learned, err := s.SimilarLearned(ctx, web.Subject{Artifact: a}, k)
	if err != nil {
		return nil, err
	}
	if learned != nil {
		out.Lists[0] = *learnedList(learned)
	}
	for _, t := range s.app.themes.Status().Themes {
		if t.State != themes.Served {
			continue
		}
		found, err := s.app.themes.SimilarTo(ctx, a, t.Name, k)
		switch {
		case errors.Is(err, themes.ErrNotReady), errors.Is(err, themes.ErrUnknown):
			continue // since a moment
		case err != nil:
			return nil, webError(err)
		case found.Applies:
			out.Lists = append(out.Lists, *themedList(t.Name, found))
		}
	}
	for i := range out.Lists {
		if err := s.fill(&out.Lists[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// embed has the media encoded that are in an artifact. One that can't be ends the question: lists without it would answer another one.
func (s *service) embed(ctx context.Context, a *profile.Artifact) error {
	var failed map[int]error
	err := s.ask(func(e *pipeline.Engine) (err error) {
		failed, err = e.Queries().Embed(ctx, a)
		return err
	})
	if err != nil {
		return webError(err)
	}
	for place := range a.Media {
		err := failed[place]
		refusal, refused := feature.AsRefusal(err)
		switch {
		case err == nil:
		case errors.Is(err, encode.ErrNoEncoder):
			return &web.UnfitMediumError{Place: place, Reason: fmt.Sprintf("this daemon has no encoder of %s", a.Media[place].Kind)}
		case refused && refusal.Reason == feature.ReasonRejected: // whose detail is that of a server of the daemon's own network
			return &web.UnfitMediumError{Place: place, Reason: "its encoder does not take it"}
		case refused:
			return &web.UnfitMediumError{Place: place, Reason: refusal.Error()}
		default:
			s.app.log.Debug("a medium of a query was not encoded", "place", place, "error", err)
			return fmt.Errorf("%w: medium %d was not encoded in time; try again", web.ErrUnavailable, place+1)
		}
	}
	return nil
}
