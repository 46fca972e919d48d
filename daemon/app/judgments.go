package app

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/judgments"
	"kilim/daemon/web"
)

func (a *App) startJudgments(_ context.Context, reg *prometheus.Registry) error {
	a.judgments = judgments.New(a.conn, a.cfg.Kafka.Topics.Judgments, reg, a.log.With("part", "judgments"))
	a.down.add("judgments' connections", func() error { a.judgments.Close(); return nil })
	a.parts = append(a.parts, part{"judgments", a.judgments.Run})
	return nil
}

// Judgments tells those that speak of an artifact, or all when id is empty.
func (s *service) Judgments(_ context.Context, id string) ([]judgments.Judgment, error) {
	return s.app.judgments.List(id), nil
}

func (s *service) Judge(ctx context.Context, j *judgments.Judgment) error {
	return unwritten(s.app.judgments.Write(ctx, j))
}

func (s *service) Unjudge(ctx context.Context, a, b, theme string) error {
	return unwritten(s.app.judgments.Undo(ctx, a, b, theme))
}

// unwritten is what became of a judgment that the brokers did not take: another attempt may succeed.
func unwritten(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", web.ErrUnavailable, err)
}
