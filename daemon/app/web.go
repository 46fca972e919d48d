package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/chain"
	"kilim/daemon/web"
)

func (a *App) startWeb(_ context.Context, reg *prometheus.Registry) error {
	server, err := web.New(web.Config{
		Addr: a.cfg.HTTP, WebConfigFile: a.cfg.WebConfigFile, Limits: chain.Limits(a.cfg), Version: a.version,
	}, &service{Engine: a.engine, app: a}, reg, a.log)
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

// service adds to the engine's answers what the other parts know.
type service struct {
	*chain.Engine
	app *App
}

var errUnassigned = errors.New("the consumer group has not assigned a partition yet")

// Ready is true once the group gave this instance its partitions. Another instance may
// have them all: then this one has nothing to do, and says so.
func (s *service) Ready() error {
	if _, since := s.app.consumer.Assigned(); since.IsZero() {
		return errUnassigned
	}
	return nil
}

func (s *service) Status(ctx context.Context) (*web.Status, error) {
	// Without a fresh look at the ends, what was fed a moment ago would not be lag yet.
	if err := s.app.consumer.Probe(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", web.ErrUnavailable, err)
	}
	// In the order of the data's way, so that nothing is between two looks unseen:
	// zero lag, then zero queue, then zero outbox is zero everywhere.
	parts, since := s.app.consumer.Assigned()
	lag := s.app.consumer.Lag()
	status := s.Engine.Status()
	for _, n := range lag {
		status.Lag += n
	}
	// Lag is known for every partition a moment after they were assigned.
	status.Assigned = !since.IsZero() && len(lag) == len(parts)
	status.Ready = s.Ready() == nil
	status.Version = s.app.version
	status.UptimeSeconds = time.Since(s.app.started).Seconds()
	return &status, nil
}
