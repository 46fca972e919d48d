package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"kilim/consumer"
	"kilim/daemon/config"
	"kilim/daemon/pipeline"
	"kilim/daemon/standby"
	"kilim/graphstore"
	"kilim/learner/encode"
	"kilim/learner/encode/feature"
	"kilim/learner/train/adapt"
	"kilim/learner/train/registry"
)

// openModels opens the models of a state folder. In a new folder the registry gets the seeded model.
func openModels(cfg *config.Config) (*registry.Registry, error) {
	options := cfg.Model.Options()
	return registry.Open(filepath.Join(cfg.Data, "models"), registry.Model{Seed: pipeline.Seed, Created: time.Now().UTC(), Options: &options}, nil)
}

// instances gives the settings with which package standby opens the instances in a state folder.
func instances(cfg *config.Config, encoders encode.Encoders, models *registry.Registry, metrics *pipeline.Metrics, log *slog.Logger) standby.Config {
	fitting := newFitting(cfg, encoders, models, log)
	return standby.Config{
		Data: cfg.Data, Store: storeOptions(cfg, log),
		Pipeline: func(m registry.Model, made map[string]feature.Identity) (pipeline.Config, error) {
			encoders, err := encodersOf(encoders, made, spellingsFolder(filepath.Join(cfg.Data, "spellings")))
			if err != nil {
				return pipeline.Config{}, err
			}
			c := settings(cfg, encoders)
			c.Model = fitting.ShapeOf(m, c.Model)
			c.Weights, err = adapt.Weights(models, m, c.Model, c.Encoders.Identities())
			return c, err
		},
		Models: models, Fitting: fitting, Metrics: metrics, Committed: func() {}, Log: log,
	}
}

func storeOptions(cfg *config.Config, log *slog.Logger) graphstore.Options {
	budget := cfg.Memory.Budget()
	const mib = 1 << 20
	return graphstore.Options{
		CacheMB: int(budget.Nodes / mib), MemtableMB: int(budget.Memtable / mib), TableCacheMB: int(budget.Tables / mib), Logger: log.With("part", "store"),
	}
}

// startState opens the instance that serves, and makes the publisher of its outbox.
func (a *App) startState(ctx context.Context, reg *prometheus.Registry) (err error) {
	a.consumed = consumer.NewMetrics(reg)
	a.metrics = pipeline.NewMetrics(reg, a.consumed.Refused)
	if a.models, err = openModels(a.cfg); err != nil {
		return err
	}
	cfg := instances(a.cfg, a.encoders, a.models, a.metrics, a.log.With("part", "pipeline"))
	cfg.Workers = a.encoding.run
	cfg.Committed = func() {
		if a.publisher != nil { // it looks into the outbox when it begins
			a.publisher.Wake()
		}
	}
	if a.manager, err = standby.Open(cfg); err != nil {
		return err
	}
	a.down.add("state", a.manager.Close)
	if a.shelves, err = a.newShelves(); err != nil {
		return err
	}
	if err := a.startPublisher(ctx, reg); err != nil {
		return err
	}
	reg.MustRegister(a.manager.Collector(), queues{a.manager}, a.shelves.plane.Collector(), a.shelves.themed.Collector(), buildInfo(a.version),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.parts = append(a.parts, part{"publisher", a.publish}, part{"state", a.manager.Run}, part{"search", a.shelves.words.Run}, part{"map", a.shelves.plane.Run}, part{"maps of themes", a.shelves.themed.Run})
	return nil
}

func (a *App) startConsumer(context.Context, *prometheus.Registry) (err error) {
	inFlight := min(int64(a.cfg.Ingest.InFlightBytes), a.cfg.Memory.Budget().Records)
	group := a.cfg.Kafka.Group
	if a.cfg.Publish.Follow {
		group = "" // who owns is decided by the transactional id
	}
	a.consumer, err = consumer.New(consumer.Config{
		Group: group, Topics: []string{a.cfg.Kafka.Topics.Artifacts}, Alone: !a.cfg.Publish.Follow, Ungrouped: a.cfg.Publish.Follow,
		Reading:      sync.OnceFunc(func() { close(a.reading) }),
		Limits:       limits(a.cfg),
		BatchRecords: a.cfg.Ingest.BatchRecords, BatchBytes: min(int64(a.cfg.Ingest.BatchBytes), inFlight), InFlightBytes: inFlight,
		Observe: a.metrics.ObserveStage,
	}, a.conn, noted{a.themes.Sink(a.manager), a.shelves, a.standing}, a.consumed, a.log.With("part", "consumer"))
	if err != nil {
		return err
	}
	a.parts = append(a.parts, part{"consumer", a.consume})
	return nil
}

// consume consumes until ctx ends, and says what to do about a log that is not the state's.
func (a *App) consume(ctx context.Context) error {
	err := a.consumer.Run(ctx)
	if errors.Is(err, consumer.ErrOtherLog) {
		return fmt.Errorf("%w. It is not read. If it follows the log that was read, or has all of it again, \"kilim reread --data %s\" lets the next start read it from "+
			"its beginning, over what is stored; if it replaces that log, start with an empty data folder", err, a.cfg.Data)
	}
	return err
}

// queues exports the media queue of the engine that serves at scrape time.
type queues struct{ manager *standby.Manager }

func (q queues) Describe(ch chan<- *prometheus.Desc) {
	q.manager.Engine().Media().Queue().Collector().Describe(ch)
}

func (q queues) Collect(ch chan<- prometheus.Metric) {
	q.manager.Engine().Media().Queue().Collector().Collect(ch)
}
