package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer/profile"
	"kilim/daemon/memory/held"
	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/atlas"
	"kilim/daemon/pipeline/tally"
	"kilim/daemon/themes"
	"kilim/daemon/web"
	"kilim/graphstore"
	"kilim/learner/train/eval"
	"kilim/learner/train/finetune"
	"kilim/learner/train/registry"
	"kilim/rerank/topk"
)

func (a *App) startWeb(_ context.Context, reg *prometheus.Registry) error {
	server, err := web.New(web.Config{
		Addr: a.cfg.HTTP, Hosts: a.cfg.HTTPHosts, WebConfigFile: a.cfg.WebConfigFile, Limits: limits(a.cfg), Version: a.version,
	}, &service{app: a}, reg, a.log)
	if err != nil {
		return err
	}
	if err := server.Listen(); err != nil {
		return err
	}
	a.web = server
	a.parts = append(a.parts, part{"http", server.Serve})
	return nil
}

// service is web.Service: it asks the engine that serves, and converts its types and errors to those of package web.
type service struct{ app *App }

// ask calls fn with the engine that serves. After a cutover the store of the engine before is closed once all lists are
// published; a query that is so slow that it still asks that engine gets ErrClosed, and ask gives fn the engine that serves now.
func (s *service) ask(fn func(e *pipeline.Engine) error) error {
	for {
		e := s.app.manager.Engine()
		if err := fn(e); !errors.Is(err, graphstore.ErrClosed) || e == s.app.manager.Engine() {
			return err
		}
	}
}

func (s *service) Artifact(ctx context.Context, id string) (v any, found bool, err error) {
	err = s.ask(func(e *pipeline.Engine) error {
		v, found, err = e.Queries().Artifact(ctx, id)
		return err
	})
	return v, found, webError(err)
}

func (s *service) Similar(ctx context.Context, id, list string, k int) (a *web.Answer, err error) {
	err = s.ask(func(e *pipeline.Engine) error {
		found, err := e.Queries().Similar(ctx, id, list, k)
		a = answer(found)
		return err
	})
	return a, webError(err)
}

func (s *service) SimilarTo(ctx context.Context, artifact *profile.Artifact, list string, k int) (a *web.Answer, err error) {
	err = s.ask(func(e *pipeline.Engine) error {
		found, err := e.Queries().SimilarTo(ctx, artifact, list, k)
		a = answer(found)
		return err
	})
	return a, webError(err)
}

func (s *service) Evaluate(ctx context.Context, truth *eval.Truth, list string) (report *eval.Report, err error) {
	err = s.ask(func(e *pipeline.Engine) error {
		report, err = evaluate(ctx, e.Queries(), s.app.themes, truth, list)
		return err
	})
	return report, webError(err)
}

func (s *service) Models(context.Context) (*web.Models, error) {
	now := s.app.manager.Status()
	models := &web.Models{
		Serving: now.Serving.Epoch, Generation: now.Serving.Number, Republishing: now.Republishing,
		Models: s.app.models.List(),
	}
	if next := now.Next; next != nil {
		models.Next = &web.Making{Epoch: next.Epoch, Phase: next.Phase, Ratio: next.Ratio, Error: next.Error}
	}
	return models, nil
}

func (s *service) Promote(_ context.Context, epoch uint32) error {
	if err := s.app.mayPromote(); err != nil {
		return err
	}
	return webError(s.app.manager.Promote(epoch))
}

func (s *service) Rollback(_ context.Context, epoch uint32) error {
	if err := s.app.mayPromote(); err != nil {
		return err
	}
	return webError(s.app.manager.Rollback(epoch))
}

// webError gives an error of the other packages the meaning that package web has a status code for.
func webError(err error) error {
	var damaged *graphstore.DamagedError
	switch {
	case errors.As(err, &damaged) && damaged.Artifact != "":
		return fmt.Errorf("%w: the stored document of artifact %q can't be read; feed its record again, which replaces it", web.ErrDamaged, damaged.Artifact)
	case errors.Is(err, pipeline.ErrNotFound):
		return meaning{err, web.ErrNotFound}
	case errors.Is(err, topk.ErrUnknownList):
		return meaning{err, web.ErrUnknownList}
	case errors.Is(err, themes.ErrNoArtifact):
		return meaning{err, web.ErrNotFound}
	case errors.Is(err, themes.ErrUnknown):
		return meaning{err, web.ErrUnknownList}
	case errors.Is(err, themes.ErrNotReady):
		return meaning{err, web.ErrUnavailable}
	case errors.Is(err, atlas.ErrUnknownKind):
		return meaning{err, web.ErrBadRequest}
	case errors.Is(err, themes.ErrDeclaration):
		return meaning{err, web.ErrBadRequest}
	case errors.Is(err, eval.ErrNoQueries):
		return fmt.Errorf("%w: %w", web.ErrBadRequest, err)
	case errors.Is(err, registry.ErrUnknown):
		return fmt.Errorf("%w: %w", web.ErrNotFound, err)
	case errors.Is(err, registry.ErrState):
		return fmt.Errorf("%w: %w", web.ErrConflict, err)
	}
	return err
}

// meaning is an error that is one of web's too. Its text is the error's alone: that of web would only repeat it.
type meaning struct {
	error
	is error
}

func (m meaning) Unwrap() []error { return []error{m.error, m.is} }

func answer(a *pipeline.Answer) *web.Answer {
	if a == nil {
		return nil
	}
	return &web.Answer{ID: a.ID, List: a.List, Epoch: a.Epoch, Staleness: web.Staleness(a.Staleness), DriftBound: (*web.DriftBound)(a.DriftBound), Items: a.Items}
}

// Ready returns nil while this daemon reads all partitions, and otherwise why it does not.
func (s *service) Ready() error { return s.app.consumer.Ready() }

// Slowest are the slowest batches of all engines of this process.
func (s *service) Slowest(since time.Time) []web.SlowBatch {
	out := []web.SlowBatch{}
	for _, b := range s.app.metrics.Slowest.Batches(since, time.Now()) {
		slow := web.SlowBatch{
			Revision: b.Revision, Published: b.Published.UTC(), Records: b.Records, FreshSeconds: b.Fresh.Seconds(),
			TurnSeconds: b.Began.Sub(b.Came).Seconds(), AppliedSeconds: b.Committed.Sub(b.Began).Seconds(), DeliverySeconds: b.Published.Sub(b.Committed).Seconds(),
			StageSeconds: map[string]float64{},
		}
		slow.BeforeSeconds = slow.FreshSeconds - slow.TurnSeconds - slow.AppliedSeconds - slow.DeliverySeconds
		for _, stage := range b.Stages {
			slow.StageSeconds[stage.Name] += stage.Took.Seconds()
		}
		out = append(out, slow)
	}
	return out
}

func (s *service) Status(ctx context.Context) (*web.Status, error) {
	// Without a Probe of the partitions' ends, what was fed a moment ago would not be lag yet.
	if err := s.app.consumer.Probe(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", web.ErrUnavailable, err)
	}
	// Lag is read before the engine's queue and outbox, in the order in which a record goes through them: so a record that
	// moves on meanwhile is counted twice rather than never, and zero in all three is zero everywhere.
	parts, since := s.app.consumer.Assigned()
	lag := s.app.consumer.Lag()
	status := statusOf(s.app.manager.Engine().Status())
	for _, n := range lag {
		status.Lag += n
	}
	// Lag is known for every partition a moment after they were assigned.
	status.Assigned = !since.IsZero() && len(lag) == len(parts)
	status.Ready = true
	if err := s.Ready(); err != nil {
		status.Ready, status.Assigned, status.Reason = false, false, err.Error()
	}
	if t := s.app.scheduler; t != nil {
		status.Training = trainingOf(t.Status(), s.app.cfg.Train.Least)
	}
	if s.app.cfg.Themes.Works > 0 {
		status.Themes = themesStatusOf(s.app.themes.Status())
	}
	if now := s.app.ranking.Status(); now.Judgments > 0 {
		judged := rankingStatusOf(now)
		status.Ranking = &judged
	}
	if f := s.app.follower; f != nil {
		now := f.Status()
		status.Follow = &web.FollowStatus{Role: now.Role, Since: now.Since.UTC(), Behind: now.Behind}
	}
	has := held.Now()
	status.Memory = web.MemoryStatus{
		Limit: uint64(s.app.cfg.Memory.Budget().Limit), Live: has.Live, Garbage: has.Garbage, Free: has.Free, Other: has.Other, Own: has.Own, Mapped: has.Mapped,
	}
	status.Version = s.app.version
	status.UptimeSeconds = time.Since(s.app.started).Seconds()
	return status, nil
}

func statusOf(s pipeline.Status) *web.Status {
	media := map[string]web.MediaStatus{}
	for kind, m := range s.Media {
		media[kind] = web.MediaStatus{Encoded: m.Encoded, Waiting: m.Waiting, Refused: m.Refused, Held: m.Held, Again: m.Again}
	}
	return &web.Status{
		Artifacts: s.Artifacts, Placeholders: s.Placeholders, Nodes: s.Nodes, Edges: s.Edges,
		RefreshQueue: s.RefreshQueue, RefreshAge: s.Overdue, Outbox: s.Outbox, Epoch: s.Epoch, Revision: s.Revision,
		Index:   web.IndexStatus{Engine: s.IndexEngine, Vectors: s.Vectors},
		Records: recordsOf(s.Records),
		Media:   media,
	}
}

func recordsOf(c tally.Counts) web.RecordsStatus {
	out := web.RecordsStatus{Consumed: c.Consumed, Refused: c.Refused, Unread: c.Unread}
	if l := c.LastRefused; l != nil {
		out.LastRefused = &web.Refused{Topic: l.Topic, Partition: l.Partition, Offset: l.Offset, ID: l.ID, Reason: l.Reason, Detail: l.Detail, Time: l.Time}
	}
	return out
}

func trainingOf(s finetune.Status, least int) *web.Training {
	t := &web.Training{Phase: s.Phase, Step: s.Step, Steps: s.Steps, Stage: s.Stage, Changed: s.Changed, Drift: s.Drift, Least: least}
	if l := s.Last; l != nil {
		t.Last = &web.Trained{At: l.At, Result: l.Result, Epoch: l.Epoch, Reason: l.Reason}
	}
	return t
}
