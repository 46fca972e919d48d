package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"kilim/consumer"
	"kilim/consumer/broker"
	"kilim/consumer/kafkaconn"
	"kilim/daemon/config"
	"kilim/daemon/cultures"
	"kilim/daemon/follow"
	"kilim/daemon/judgments"
	"kilim/daemon/pipeline"
	"kilim/daemon/queries"
	"kilim/daemon/ranking"
	"kilim/daemon/standby"
	"kilim/daemon/themes"
	"kilim/daemon/web"
	"kilim/learner/encode"
	"kilim/learner/train/finetune"
	"kilim/learner/train/registry"
	"kilim/rerank/publish"
)

// App is one daemon: Start makes it, Run works it and stops it.
type App struct {
	cfg     *config.Config
	log     *slog.Logger
	started time.Time
	version string
	down    teardown

	broker    *broker.Broker
	conn      *kafkaconn.Conn
	encoders  encode.Encoders
	models    *registry.Registry
	manager   *standby.Manager
	themes    *themes.Keeper
	cultures  *cultures.Keeper
	shelves   *shelves
	scheduler *finetune.Scheduler // nil: nothing is trained
	publisher *publish.Publisher
	follower  *follow.Follower // nil: without publish.follow
	consumer  *consumer.Consumer
	reading   chan struct{} // closed when the partitions are read for the first time
	encoding  *encoding
	metrics   *pipeline.Metrics
	consumed  *consumer.Metrics
	judgments *judgments.Log
	queries   *queries.Log
	standing  *queries.Keeper
	ranking   *ranking.Keeper
	web       *web.Server
	parts     []part
	demoLeft  int
}

// part is something that Run runs until its context ends or it fails.
type part struct {
	name string
	run  func(context.Context) error
}

// Start brings up a daemon, down to the listening HTTP address; Run makes it
// work. After an error nothing is left running. The registry must be new.
func Start(ctx context.Context, cfg *config.Config, version string, reg *prometheus.Registry, log *slog.Logger) (*App, error) {
	a := &App{cfg: cfg, log: log, started: time.Now(), version: version, down: teardown{log: log}, reading: make(chan struct{})}
	for _, step := range []struct {
		name  string
		start func(context.Context, *prometheus.Registry) error
	}{
		{"broker", a.startBroker},
		{"kafka", a.startKafka},
		{"encoders", a.startEncoders},
		{"state", a.startState},
		{"themes", a.startThemes},
		{"training", a.startTraining},
		{"standing queries", a.startQueries},
		{"consumer", a.startConsumer},
		{"cultures", a.startCultures},
		{"judgments", a.startJudgments},
		{"ranking", a.startRanking},
		{"http", a.startWeb},
		{"demo", a.startDemo},
		{"watchdog", a.startWatchdog},
	} {
		if err := step.start(ctx, reg); err != nil {
			return nil, errors.Join(fmt.Errorf("start %s: %w", step.name, err), a.down.run())
		}
	}
	return a, nil
}

// HTTP is the address that queries are answered at.
func (a *App) HTTP() net.Addr { return a.web.Addr() }

// Bootstrap is the address of the brokers, for clients.
func (a *App) Bootstrap() string { return a.conn.String() }

// Run works until ctx ends or a part fails, then stops everything. It returns nil after an ordinary stop.
func (a *App) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, p := range a.parts {
		g.Go(func() error {
			if err := p.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			return nil
		})
	}
	a.log.Info("running", "http", a.HTTP().String(), "broker", a.Bootstrap(), "data", a.cfg.Data)
	err := g.Wait()
	a.log.Info("stopping")
	err = errors.Join(err, a.down.run())
	if err == nil {
		a.log.Info("stopped")
	}
	return err
}

func (a *App) startBroker(context.Context, *prometheus.Registry) error {
	addr, embedded := a.cfg.Embedded()
	if !embedded {
		return nil
	}
	b, err := broker.Start(addr, filepath.Join(a.cfg.Data, "broker"), a.log.With("part", "broker"))
	if err != nil {
		return err
	}
	a.down.add("broker", b.Close)
	a.broker = b
	return nil
}

func (a *App) startKafka(ctx context.Context, _ *prometheus.Registry) error {
	settings := a.cfg.Conn()
	settings.ClientID = "kilim"
	settings.Log = a.log.With("part", "kafka")
	if a.broker != nil {
		settings.Brokers = []string{a.broker.Addr()} // the port may have been left to the system
	}
	conn, err := kafkaconn.New(settings)
	if err != nil {
		return err
	}
	a.down.add("connections", func() error { conn.Close(); return nil })
	a.conn = conn
	return conn.EnsureTopics(ctx, a.cfg.Kafka.TopicSpecs())
}

func buildInfo(version string) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "kilim_build_info", Help: "1, labelled with the version that runs and the Go that built it.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	g.Set(1)
	return g
}
