package standby

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/consumer"
	"kilim/daemon/pipeline"
	"kilim/graphstore"
	"kilim/learner/encode/feature"
	"kilim/learner/train/registry"
)

// Config is what a Manager works with.
type Config struct {
	// Data is the folder of the whole state.
	Data string
	// Store is how each instance's store is opened. Its BeforeWrite is also called before steps that change files.
	Store graphstore.Options
	// Pipeline gives the settings of an instance's engine for a model: with the configured encoders when made is nil, else
	// with made, the encoders that made the vectors of the state. Epoch, Standby and Snapshot are the Manager's to set.
	Pipeline func(m registry.Model, made map[string]feature.Identity) (pipeline.Config, error)
	// Models must have the epochs that CURRENT names.
	Models *registry.Registry
	// Fitting knows which of them are for the configured encoders.
	Fitting Fitting
	// Workers, which may be nil, runs what else works on an open instance, the standby too, until ctx ends. An error of
	// Workers ends Run if the instance serves, and the build if it is a standby.
	Workers func(ctx context.Context, e *pipeline.Engine) error
	// Metrics are those of the engine that serves.
	Metrics *pipeline.Metrics
	// Committed is as in pipeline.Open.
	Committed func()
	Log       *slog.Logger
}

// Fitting makes models fit what is configured.
type Fitting interface {
	// Fits returns an error that says in what a model is not for what is configured, nil if it is.
	Fits(m registry.Model) error
	// Adapt returns the model that is to serve in the place of one that does not fit: always the same one, until that is rejected.
	Adapt(m registry.Model) (registry.Model, error)
	// Judge compares what serves with a standby of the model m, which was Adapted, and returns an error if m is not to serve. It
	// leaves its finding in the row of m.
	Judge(ctx context.Context, m registry.Model, serving, standby *pipeline.Engine) error
}

// Manager holds the instance that serves, and makes the next one. It is the consumer's Sink, and lets queries and the
// publisher use what serves at the moment.
type Manager struct {
	cfg     Config
	layout  layout
	log     *slog.Logger
	metrics *metrics

	serving atomic.Pointer[instance]
	// publishing is held for reading while the publisher reads or changes an outbox, and for writing during a cutover,
	// which gives the outbox to another store.
	publishing sync.RWMutex
	// wanted is signalled when there may be something to build.
	wanted chan struct{}
	// workersFailed is signalled when an instance's Config.Workers has ended by itself.
	workersFailed chan struct{}
	// sleep is how builds leave time to others; tests have a feed in its place.
	sleep func(context.Context, time.Duration) error

	// lock guards what follows. It is never held while waiting for a unit of an engine: a unit may take long, and Status
	// takes the lock.
	lock     sync.Mutex
	cur      current
	previous *graphstore.Store // of cur.Previous
	build    *build            // at work; nil: none
	buildErr error             // why the last build of cur.Next failed
	// lastNumber is the highest number given so far. It is not taken from cur again, since an abandoned instance, which cur
	// names no more, may have a folder that is still to be removed.
	lastNumber int

	suspicion suspicion
}

// Open opens the instance that serves, and removes the folders that CURRENT does not name. Run sets it to work.
func Open(cfg Config) (*Manager, error) {
	m := &Manager{
		cfg: cfg, layout: layout{cfg.Data, cfg.Store.BeforeWrite}, log: cfg.Log,
		metrics: newMetrics(), wanted: make(chan struct{}, 1), workersFailed: make(chan struct{}, 1), sleep: sleep,
		suspicion: suspicion{path: filepath.Join(cfg.Data, "UNFINISHED"), report: CrashReport(cfg.Data), before: cfg.Store.BeforeWrite},
	}
	if err := m.open(); err != nil {
		return nil, fmt.Errorf("standby: %w", err)
	}
	return m, nil
}

func (m *Manager) open() (err error) {
	if m.cur, err = m.layout.read(); err != nil {
		return err
	}
	serving, err := m.openInstance(m.cur.Serving, m.cfg.Metrics, false)
	if err != nil {
		return err
	}
	m.serving.Store(serving)
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	// CURRENT is read a second time, now that the open store holds its lock and nobody else changes CURRENT any more.
	again, err := m.layout.read()
	if err != nil {
		return err
	}
	if !again.equal(m.cur) {
		return fmt.Errorf("%s has changed while it was read: is another kilim at work?", m.layout.currentFile())
	}
	removed, err := m.layout.sweep(m.cur)
	if err != nil {
		return err
	}
	if len(removed) > 0 {
		m.log.Info("removed instances that are of no use", "instances", removed)
	}
	if p := m.cur.Previous; p != nil {
		if m.previous, err = graphstore.Open(m.layout.graph(p.Number), m.cfg.Store); err != nil {
			return err
		}
		serving.engine.Load().SetPrevious(m.previous)
	}
	if err := m.suspicion.open(); err != nil {
		return err
	}
	m.lastNumber = m.cur.highest()
	if err := m.adaptEncoders(serving); err != nil {
		return err
	}
	// A crash may have come between the cutover and recordPromoted.
	m.recordPromoted(serving.id.Epoch)
	m.signalWanted()
	return nil
}

// adaptEncoders writes into CURRENT that an instance of the configured encoders is to be made, when the one that serves was
// made with other encoders: of the same model if that fits any, else of the one that is to take its place.
func (m *Manager) adaptEncoders(serving *instance) error {
	to := serving.id.Epoch
	if m.cur.Next != nil {
		to = m.cur.Next.Epoch
	}
	model, err := m.cfg.Models.Get(to)
	if err != nil {
		return err
	}
	if unfit := m.cfg.Fitting.Fits(model); unfit != nil {
		return m.adaptModel(model, unfit)
	}
	if m.cur.Next != nil {
		return nil // openStandby opens it with the configured encoders
	}
	wanted, err := m.cfg.Pipeline(model, nil)
	if err != nil {
		return fmt.Errorf("model of epoch %d: %w", serving.id.Epoch, err)
	}
	want, have := wanted.Encoders.Identities(), serving.engine.Load().Media().Encoders().Identities()
	if maps.Equal(want, have) {
		return nil
	}
	m.log.Info("the encoders are others than those that the state was made with; it is made anew beside", "were", have, "are", want)
	c := m.cur
	m.lastNumber++
	c.Next = &ID{Number: m.lastNumber, Epoch: serving.id.Epoch}
	return m.write(c)
}

// adaptModel has another model serve, as soon as its standby is built, in the place of one that serves, or was to serve next.
func (m *Manager) adaptModel(model registry.Model, unfit error) error {
	fitting, err := m.cfg.Fitting.Adapt(model)
	if err != nil {
		return err
	}
	m.log.Info("the model is not one for what is configured; another takes its place when its state is made beside", "why", unfit, "epoch", fitting.Epoch)
	if err := m.promote(fitting.Epoch); err != nil {
		return err
	}
	if model.Adapted && model.State != registry.Promoted { // it was for what is not configured any more
		_, err = m.cfg.Models.SetState(model.Epoch, registry.Rejected, nil, unfit.Error())
	}
	return err
}

// OpenServing opens what serves in a state folder that no daemon has open, and nothing else.
func OpenServing(cfg Config) (*pipeline.Engine, func() error, error) {
	m := &Manager{cfg: cfg, layout: layout{data: cfg.Data}, log: cfg.Log}
	c, err := m.layout.read()
	if err != nil {
		return nil, nil, fmt.Errorf("standby: %w", err)
	}
	serving, err := m.openInstance(c.Serving, cfg.Metrics, false)
	if err != nil {
		return nil, nil, fmt.Errorf("standby: %w", err)
	}
	return serving.engine.Load(), serving.store.Close, nil
}

// Close closes what serves. Run must have returned, and nobody may use the Manager any more.
func (m *Manager) Close() error {
	err := errors.Join(m.serving.Load().close(), m.suspicion.close())
	if m.previous != nil {
		err = errors.Join(err, m.previous.Close())
	}
	return err
}

// Run works until ctx ends, or until going on would be wrong.
func (m *Manager) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	m.startWorkers(ctx, m.serving.Load())
	defer func() { m.serving.Load().stopWorkers() }()
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-m.workersFailed:
				// The signal may be a standby's, whose build looks for itself; only the instance that serves ends Run.
				if err := m.serving.Load().workersErr(); err != nil {
					return err
				}
			}
		}
	})
	g.Go(func() error {
		// Engine.Run returns nil when its engine is retired: the next round runs the engine that was cut over to.
		for ctx.Err() == nil {
			if err := m.Engine().Run(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	g.Go(func() error { return m.runBuilds(ctx) })
	return g.Wait()
}

// Engine is the engine that serves now. Another may serve by the next call.
func (m *Manager) Engine() *pipeline.Engine { return m.serving.Load().engine.Load() }

// Instance is Engine with the ID of its instance, which tells what an answer of that engine is of.
func (m *Manager) Instance() (ID, *pipeline.Engine) {
	s := m.serving.Load()
	return s.id, s.engine.Load()
}

// View calls fn with the committed state of what serves.
func (m *Manager) View(fn func(*graphstore.Reader) error) error {
	return m.serving.Load().store.View(fn)
}

// Publisher lets fn use the store whose outbox is to be delivered. It stays that store until fn returns.
func (m *Manager) Publisher(fn func(*graphstore.Store) error) error {
	m.publishing.RLock()
	defer m.publishing.RUnlock()
	return fn(m.serving.Load().store)
}

// StoredOffset implements consumer.Sink.
func (m *Manager) StoredOffset(topic string, partition int) (stored consumer.Offset, ok bool, err error) {
	return m.Engine().StoredOffset(topic, partition)
}

func (m *Manager) signalWanted() {
	select {
	case m.wanted <- struct{}{}:
	default:
	}
}

func (m *Manager) signalWorkersFailed() {
	select {
	case m.workersFailed <- struct{}{}:
	default:
	}
}

// recordPromoted writes into the registry that a model serves. Open does so again at each start, so a failure is no harm.
func (m *Manager) recordPromoted(epoch uint32) {
	if _, err := m.cfg.Models.SetState(epoch, registry.Promoted, nil, ""); err != nil {
		m.log.Error("can't note that a model was promoted; it serves all the same", "epoch", epoch, "err", err)
	}
}
