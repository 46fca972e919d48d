package standby

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/pipeline"
	"kilim/graphstore"
	"kilim/learner/encode"
	"kilim/learner/encode/feature"
)

// instance is one opened state: the store in the folder of id, and the engine over it.
type instance struct {
	id     ID
	store  *graphstore.Store
	engine *pipeline.Engine
	// stopWorkers ends what startWorkers started, and waits for its end.
	stopWorkers func()
	// workersFailure is why Config.Workers has ended by itself; nil: it has not.
	workersFailure atomic.Pointer[error]
}

// openInstance opens an instance. A standby has the UUID of the store that serves, since it becomes the same state to the
// publisher, and metrics that are exported nowhere, until CutOver gives it those of the engine that served.
func (m *Manager) openInstance(id ID, metrics *pipeline.Metrics, standby bool) (s *instance, err error) {
	opts, committed := m.cfg.Store, m.cfg.Committed
	if standby {
		opts.UUID, committed = m.serving.Load().store.UUID(), func() {}
		metrics = pipeline.NewMetrics(prometheus.NewRegistry(), prometheus.NewCounterVec(prometheus.CounterOpts{Name: "refused"}, []string{"reason"}))
	}
	s = &instance{id: id, stopWorkers: func() {}}
	if s.store, err = graphstore.Open(m.layout.graph(id.Number), opts); err != nil {
		return nil, err
	}
	cfg, err := m.pipelineConfig(s, standby)
	if err == nil {
		s.engine, err = pipeline.Open(cfg, s.store, metrics, committed, m.log.With("instance", id.Number))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("instance %d: %w", id.Number, err), s.store.Close())
	}
	return s, nil
}

// pipelineConfig gives the settings of an instance's engine. A standby has the configured encoders, any other instance those
// that made its vectors.
func (m *Manager) pipelineConfig(s *instance, standby bool) (cfg pipeline.Config, err error) {
	model, err := m.cfg.Models.Get(s.id.Epoch)
	if err != nil {
		return cfg, err
	}
	var made map[string]feature.Identity
	if !standby {
		err = s.store.View(func(r *graphstore.Reader) (err error) {
			made, err = encode.Recorded(r)
			return err
		})
		if err != nil {
			return cfg, err
		}
	}
	if cfg, err = m.cfg.Pipeline(model, made); err != nil {
		return cfg, fmt.Errorf("model of epoch %d: %w", s.id.Epoch, err)
	}
	cfg.Epoch, cfg.Standby, cfg.Snapshot = s.id.Epoch, standby, m.layout.snapshot(s.id.Number)
	return cfg, nil
}

// openStandby opens a standby. One that was begun with other encoders, or by another program, is removed and begun anew.
func (m *Manager) openStandby(id ID) (*instance, error) {
	for first := true; ; first = false {
		if err := os.MkdirAll(m.layout.folder(id.Number), 0o755); err != nil {
			return nil, err
		}
		s, err := m.openInstance(id, nil, true)
		if !first || !errors.Is(err, pipeline.ErrIdentity) {
			return s, err
		}
		m.log.Info("a standby was begun with other settings; it is begun anew", "instance", id.Number, "err", err)
		if err := m.layout.remove(id.Number); err != nil {
			return nil, err
		}
	}
}

// startWorkers runs Config.Workers on an instance until ctx ends or s.stopWorkers is called.
func (m *Manager) startWorkers(ctx context.Context, s *instance) {
	if m.cfg.Workers == nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	s.stopWorkers = func() { cancel(); <-ended }
	go func() {
		defer close(ended)
		err := m.cfg.Workers(ctx, s.engine)
		if err == nil || ctx.Err() != nil || errors.Is(err, pipeline.ErrRetired) {
			return
		}
		s.workersFailure.Store(&err)
		m.signalWorkersFailed()
	}()
}

// workersErr is why Config.Workers has ended by itself, nil when it has not.
func (s *instance) workersErr() error {
	if err := s.workersFailure.Load(); err != nil {
		return *err
	}
	return nil
}

// close saves the index, so that the next start need not build it, and closes the store.
func (s *instance) close() error { return errors.Join(s.engine.SaveIndex(), s.store.Close()) }
