package standby

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"kilim/consumer"
	"kilim/daemon/pipeline"
	"kilim/graphstore"
	"kilim/learner/encode/feature"
	"kilim/learner/train/registry"
)

// Config is what a Keeper works with.
type Config struct {
	// Data is the folder of the whole state.
	Data string
	// Store is how each generation's store is opened. Its BeforeWrite is also called before steps that change files.
	Store graphstore.Options
	// Chain gives the settings of the chain for a model, with the configured encoders, or, for a state that exists, with those that
	// made it. Epoch, Draft and Snapshot are the Keeper's to set.
	Chain func(m registry.Model, made map[string]feature.Identity) (pipeline.Config, error)
	// Models must have the epochs that CURRENT names.
	Models *registry.Registry
	// Beside, which may be nil, is what else works on a generation that is open, one that is being made too, until ctx ends. An error
	// of it ends Run, or the making.
	Beside func(ctx context.Context, e *pipeline.Engine) error
	// Metrics are those of the chain that serves.
	Metrics *pipeline.Metrics
	// Committed is as in pipeline.Open.
	Committed func()
	Log       *slog.Logger
}

// Keeper holds the generation that serves, and makes the next. It is the consumer's Sink, and lets queries and publisher
// use what serves at the moment.
type Keeper struct {
	cfg     Config
	layout  layout
	log     *slog.Logger
	metrics *metrics

	serving atomic.Pointer[site]
	// publishing is held for reading while the publisher reads or changes an outbox, and for writing while
	// another store becomes its owner.
	publishing sync.RWMutex
	// wanted is signalled when there may be something to make.
	wanted chan struct{}
	// alarm is signalled when what works beside a generation has failed.
	alarm chan struct{}

	// lock guards what follows. It is never held while waiting for a unit.
	lock     sync.Mutex
	cur      current
	previous *graphstore.Store // of cur.Previous
	build    *build            // at work; nil: none
	failed   error             // why the last build of cur.Next failed
	// numbered is the highest number given so far: a folder that is still to be removed is not used again.
	numbered int
}

// Open opens the generation that serves, and removes what is of no use. Run makes it work.
func Open(cfg Config) (*Keeper, error) {
	k := &Keeper{
		cfg: cfg, layout: layout{cfg.Data, cfg.Store.BeforeWrite}, log: cfg.Log,
		metrics: newMetrics(), wanted: make(chan struct{}, 1), alarm: make(chan struct{}, 1),
	}
	if err := k.open(); err != nil {
		return nil, fmt.Errorf("standby: %w", err)
	}
	return k, nil
}

func (k *Keeper) open() (err error) {
	if k.cur, err = k.layout.read(); err != nil {
		return err
	}
	s, err := k.openSite(k.cur.Serving, k.cfg.Metrics, false)
	if err != nil {
		return err
	}
	k.serving.Store(s)
	defer func() {
		if err != nil {
			err = errors.Join(err, k.Close())
		}
	}()
	// The store is locked now: nobody else changes the file any more.
	again, err := k.layout.read()
	if err != nil {
		return err
	}
	if !again.equal(k.cur) {
		return fmt.Errorf("%s has changed while it was read: is another kilim at work?", k.layout.currentFile())
	}
	removed, err := k.layout.sweep(k.cur)
	if err != nil {
		return err
	}
	if len(removed) > 0 {
		k.log.Info("removed generations that are of no use", "generations", removed)
	}
	if p := k.cur.Previous; p != nil {
		if k.previous, err = graphstore.Open(k.layout.graph(p.Number), k.cfg.Store); err != nil {
			return err
		}
		s.engine.SetPrevious(k.previous)
	}
	k.numbered = k.cur.highest()
	if err := k.renew(s); err != nil {
		return err
	}
	// A crash may have come between the change and its being noted.
	k.promoted(s.id.Epoch)
	k.signal()
	return nil
}

// renew has a generation made with the configured encoders, when the one that serves was made with others.
func (k *Keeper) renew(s *site) error {
	if k.cur.Next != nil {
		return nil // which will be of the configured ones
	}
	model, err := k.cfg.Models.Get(s.id.Epoch)
	if err != nil {
		return err
	}
	wanted, err := k.cfg.Chain(model, nil)
	if err != nil {
		return fmt.Errorf("model of epoch %d: %w", s.id.Epoch, err)
	}
	want, have := wanted.Encoders.Identities(), s.engine.Media().Encoders().Identities()
	if maps.Equal(want, have) {
		return nil
	}
	k.log.Info("the encoders are others than those that the state was made with; it is made anew beside", "were", have, "are", want)
	c := k.cur
	k.numbered++
	c.Next = &ID{Number: k.numbered, Epoch: s.id.Epoch}
	if err := k.layout.write(c); err != nil {
		return err
	}
	k.cur = c
	return nil
}

// OpenServing opens what serves in a state folder that no daemon has open, and nothing else.
func OpenServing(cfg Config) (*pipeline.Engine, func() error, error) {
	k := &Keeper{cfg: cfg, layout: layout{data: cfg.Data}, log: cfg.Log}
	c, err := k.layout.read()
	if err != nil {
		return nil, nil, fmt.Errorf("standby: %w", err)
	}
	s, err := k.openSite(c.Serving, cfg.Metrics, false)
	if err != nil {
		return nil, nil, fmt.Errorf("standby: %w", err)
	}
	return s.engine, s.store.Close, nil
}

// Close closes what serves. Run must have returned, and nobody may use the Keeper any more.
func (k *Keeper) Close() error {
	err := k.serving.Load().close()
	if k.previous != nil {
		err = errors.Join(err, k.previous.Close())
	}
	return err
}

// Run works until ctx ends, or until going on would be wrong.
func (k *Keeper) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	k.accompany(ctx, k.serving.Load())
	defer func() { k.serving.Load().leave() }()
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-k.alarm:
				if err := k.serving.Load().failed(); err != nil {
					return err
				}
			}
		}
	})
	g.Go(func() error {
		for ctx.Err() == nil {
			if err := k.Engine().Run(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error { return k.work(ctx) })
	return g.Wait()
}

// Engine is the chain that serves now. Another may serve by the next call.
func (k *Keeper) Engine() *pipeline.Engine { return k.serving.Load().engine }

// View calls fn with the committed state of what serves.
func (k *Keeper) View(fn func(*graphstore.Reader) error) error {
	return k.serving.Load().store.View(fn)
}

// UUID names the state, whichever generation serves.
func (k *Keeper) UUID() string { return k.serving.Load().store.UUID() }

// Publisher lets fn use the store whose outbox is to be delivered. It stays that until fn returns.
func (k *Keeper) Publisher(fn func(*graphstore.Store) error) error {
	k.publishing.RLock()
	defer k.publishing.RUnlock()
	return fn(k.serving.Load().store)
}

// StoredOffset implements consumer.Sink.
func (k *Keeper) StoredOffset(topic string, partition int) (next int64, ok bool, err error) {
	return k.Engine().StoredOffset(topic, partition)
}

// Apply implements consumer.Sink.
func (k *Keeper) Apply(ctx context.Context, b *consumer.Batch) error {
	for {
		// Who takes over is the one that serves before the other is retired.
		if err := k.Engine().Apply(ctx, b); !errors.Is(err, pipeline.ErrRetired) {
			return err
		}
	}
}

func (k *Keeper) signal() {
	select {
	case k.wanted <- struct{}{}:
	default:
	}
}

// promoted notes that a model serves. It is done again at each start, so a failure is no harm.
func (k *Keeper) promoted(epoch uint32) {
	if _, err := k.cfg.Models.Judge(epoch, registry.Promoted, nil, ""); err != nil {
		k.log.Error("can't note that a model was promoted; it serves all the same", "epoch", epoch, "err", err)
	}
}
