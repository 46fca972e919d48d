package standby

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/made"
	"kilim/graphstore"
	"kilim/learner/encode"
	"kilim/learner/encode/feature"
)

// instance is one opened state: the store in the folder of id, and the engine over it, which Manager.reopen replaces.
type instance struct {
	id      ID
	store   *graphstore.Store
	engine  atomic.Pointer[pipeline.Engine]
	workers workers
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
	s = &instance{id: id}
	if s.store, err = graphstore.Open(m.layout.graph(id.Number), opts); err != nil {
		return nil, err
	}
	cfg, err := m.pipelineConfig(s, standby)
	if err == nil {
		var engine *pipeline.Engine
		engine, err = pipeline.Open(cfg, s.store, metrics, committed, m.log.With("instance", id.Number))
		s.engine.Store(engine)
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
	cfg.Replaced = func(fresh *pipeline.Engine) { s.engine.Store(fresh) }
	return cfg, nil
}

// openStandby opens a standby. One that was begun with other encoders, or by another program, is removed and begun anew.
func (m *Manager) openStandby(id ID) (*instance, error) {
	for first := true; ; first = false {
		if err := os.MkdirAll(m.layout.folder(id.Number), 0o755); err != nil {
			return nil, err
		}
		s, err := m.openInstance(id, nil, true)
		if !first || !errors.Is(err, made.ErrIdentity) {
			return s, err
		}
		m.log.Info("a standby was begun with other settings; it is begun anew", "instance", id.Number, "err", err)
		if err := m.layout.remove(id.Number); err != nil {
			return nil, err
		}
	}
}

// workers are what Config.Workers does on an instance.
type workers struct {
	lock sync.Mutex
	ctx  context.Context // as given to startWorkers; nil: they are stopped, or were never started
	stop func()          // ends them, and waits for their end
}

// startWorkers runs Config.Workers on an instance until ctx ends or stopWorkers is called.
func (m *Manager) startWorkers(ctx context.Context, s *instance) {
	if m.cfg.Workers == nil {
		return
	}
	s.workers.lock.Lock()
	defer s.workers.lock.Unlock()
	s.workers.ctx = ctx
	m.runWorkers(s)
}

// restartWorkers lets Config.Workers work on the engine that an instance has now, if they are not stopped.
func (m *Manager) restartWorkers(s *instance) {
	s.workers.lock.Lock()
	defer s.workers.lock.Unlock()
	if s.workers.ctx != nil {
		s.workers.stop()
		m.runWorkers(s)
	}
}

func (s *instance) stopWorkers() {
	s.workers.lock.Lock()
	defer s.workers.lock.Unlock()
	if s.workers.ctx != nil {
		s.workers.stop()
		s.workers.ctx = nil
	}
}

// runWorkers wants the lock of the instance's workers.
func (m *Manager) runWorkers(s *instance) {
	ctx, cancel := context.WithCancel(s.workers.ctx)
	ended := make(chan struct{})
	s.workers.stop = func() { cancel(); <-ended }
	engine := s.engine.Load()
	go func() {
		defer close(ended)
		err := m.cfg.Workers(ctx, engine)
		if err == nil || ctx.Err() != nil || errors.Is(err, pipeline.ErrRetired) {
			return
		}
		s.workersFailure.Store(&err)
		m.signalWorkersFailed()
	}()
}

// follow lets fn know which artifacts change, whichever engine the instance has. After a cutover there is nothing to follow.
func (s *instance) follow(fn func(ids []string)) {
	for {
		engine := s.engine.Load()
		if engine.Follow(fn) == nil || engine == s.engine.Load() {
			return
		}
	}
}

// workersErr is why Config.Workers has ended by itself, nil when it has not.
func (s *instance) workersErr() error {
	if err := s.workersFailure.Load(); err != nil {
		return *err
	}
	return nil
}

// close saves the index, so that the next start need not build it, and closes the store.
func (s *instance) close() error { return errors.Join(s.engine.Load().SaveIndex(), s.store.Close()) }
