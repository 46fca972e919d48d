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

// site is an open generation.
type site struct {
	id     ID
	store  *graphstore.Store
	engine *pipeline.Engine
	// leave ends what works beside it, and waits for that.
	leave func()
	// failure is why something beside it ended by itself.
	failure atomic.Pointer[error]
}

// openSite opens a generation. A draft takes the identity of the store that serves, and counts for itself.
func (k *Keeper) openSite(id ID, m *pipeline.Metrics, draft bool) (s *site, err error) {
	opts, committed := k.cfg.Store, k.cfg.Committed
	if draft {
		opts.UUID, committed = k.serving.Load().store.UUID(), func() {}
		m = pipeline.NewMetrics(prometheus.NewRegistry(), prometheus.NewCounterVec(prometheus.CounterOpts{Name: "refused"}, []string{"reason"}))
	}
	s = &site{id: id, leave: func() {}}
	if s.store, err = graphstore.Open(k.layout.graph(id.Number), opts); err != nil {
		return nil, err
	}
	cfg, err := k.chainOf(s, draft)
	if err == nil {
		s.engine, err = pipeline.Open(cfg, s.store, m, committed, k.log.With("generation", id.Number))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("generation %d: %w", id.Number, err), s.store.Close())
	}
	return s, nil
}

// chainOf gives the settings of a generation's chain. A draft is of the configured encoders.
func (k *Keeper) chainOf(s *site, draft bool) (cfg pipeline.Config, err error) {
	model, err := k.cfg.Models.Get(s.id.Epoch)
	if err != nil {
		return cfg, err
	}
	var made map[string]feature.Identity
	if !draft {
		err = s.store.View(func(r *graphstore.Reader) (err error) {
			made, err = encode.Recorded(r)
			return err
		})
		if err != nil {
			return cfg, err
		}
	}
	if cfg, err = k.cfg.Chain(model, made); err != nil {
		return cfg, fmt.Errorf("model of epoch %d: %w", s.id.Epoch, err)
	}
	cfg.Epoch, cfg.Draft, cfg.Snapshot = s.id.Epoch, draft, k.layout.snapshot(s.id.Number)
	return cfg, nil
}

// openDraft opens the draft of a generation. One that was begun with other encoders, or another program, is begun anew.
func (k *Keeper) openDraft(id ID) (*site, error) {
	for first := true; ; first = false {
		if err := os.MkdirAll(k.layout.folder(id.Number), 0o755); err != nil {
			return nil, err
		}
		s, err := k.openSite(id, nil, true)
		if !first || !errors.Is(err, pipeline.ErrIdentity) {
			return s, err
		}
		k.log.Info("a draft was begun with other settings; it is begun anew", "generation", id.Number, "err", err)
		if err := k.layout.remove(id.Number); err != nil {
			return nil, err
		}
	}
}

// accompany lets work beside a generation what is to, until ctx ends or leave is called.
func (k *Keeper) accompany(ctx context.Context, s *site) {
	if k.cfg.Beside == nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	s.leave = func() { cancel(); <-ended }
	go func() {
		defer close(ended)
		err := k.cfg.Beside(ctx, s.engine)
		if err == nil || ctx.Err() != nil || errors.Is(err, pipeline.ErrRetired) {
			return
		}
		s.failure.Store(&err)
		k.alarmed()
	}()
}

func (k *Keeper) alarmed() {
	select {
	case k.alarm <- struct{}{}:
	default:
	}
}

// failed is the failure of what works beside a generation.
func (s *site) failed() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// close saves the index for the next start.
func (s *site) close() error { return errors.Join(s.engine.SaveIndex(), s.store.Close()) }
