package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/logread"
)

// Consumer is one member of a consumer group.
type Consumer struct {
	cfg      Config
	cluster  Cluster
	sink     Sink
	metrics  *Metrics
	log      *slog.Logger
	client   *kafka.Client
	logs     *logread.Reader
	progress *progress
	said     string // by awaitAlone, so that it says a reason once over the generations that it lasts
}

// New checks the configuration. It connects to nothing.
func New(cfg Config, cluster Cluster, sink Sink, m *Metrics, log *slog.Logger) (*Consumer, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	transport := cluster.Transport()
	// The transport asks the brokers for metadata again and again: only of the topics that
	// are read, and soon enough to follow a partition whose leader has moved.
	transport.MetadataTopics = slices.Clone(cfg.Topics)
	transport.MetadataTTL = 2 * time.Second
	addr := kafka.TCP(cluster.Brokers()...)
	return &Consumer{
		cfg: cfg, cluster: cluster, sink: sink, metrics: m, log: log,
		client: &kafka.Client{Addr: addr, Transport: transport},
		logs: &logread.Reader{
			Transport: transport, Addr: addr, Isolation: kafka.ReadCommitted,
			MaxBytes: cfg.FetchBytes, Wait: cfg.FetchWait, Timeout: cfg.RequestTimeout,
		},
		progress: &progress{gauge: m.lag},
	}, nil
}

// Run consumes until ctx ends, which is no error, or until it can't go on: the
// Sink failed, or its offsets are not of this cluster. Whatever fails between
// here and the brokers is repeated. The topics must exist. It is called once.
func (c *Consumer) Run(ctx context.Context) error {
	defer c.logs.Transport.CloseIdleConnections()
	if c.cfg.Ungrouped {
		return c.runUngrouped(ctx)
	}
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID:                     c.cfg.Group,
		Brokers:                c.cluster.Brokers(),
		Dialer:                 c.cluster.Dialer(),
		Topics:                 c.cfg.Topics,
		HeartbeatInterval:      c.cfg.Heartbeat,
		SessionTimeout:         c.cfg.SessionTimeout,
		RebalanceTimeout:       c.cfg.RebalanceTimeout,
		JoinGroupBackoff:       c.cfg.Retry,
		Timeout:                c.cfg.RequestTimeout,
		WatchPartitionChanges:  true,
		PartitionWatchInterval: 5 * time.Second,
	})
	if err != nil {
		return fmt.Errorf("consumer: group %q: %w", c.cfg.Group, err)
	}
	var lastFailure string
	again := backoff{first: c.cfg.Retry, limit: maxRetry}
	for {
		gen, err := group.Next(ctx)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			// A fresh broker has no coordinator for a while, a broker that is
			// down has no connection: kafka-go pauses and tries again.
			err = c.explainJoin(ctx, err)
			level := slog.LevelWarn
			var others *othersError
			if errors.As(err, &others) {
				level = slog.LevelError
			}
			c.progress.hold(err)
			if err.Error() == lastFailure {
				level = slog.LevelDebug
			}
			lastFailure = err.Error()
			c.log.Log(ctx, level, "can't join the group, trying again until it works", "group", c.cfg.Group, "error", err)
			if others != nil {
				again.wait(ctx) // each try has the other member join anew
			}
			continue
		}
		lastFailure = ""
		again.reset()
		if err := c.work(ctx, gen); err != nil {
			leave(group)
			return err
		}
	}
	leave(group)
	return nil
}

// leave tells the group, but does not wait long: a join in progress would hold
// it back for as long as the other members take.
func leave(group *kafka.ConsumerGroup) {
	left := make(chan struct{})
	go func() {
		defer close(left)
		_ = group.Close() // always nil
	}()
	await(left, leaveWait)
}

// work runs one generation to its end. kafka-go does not join the next one
// before the function given to Start has returned.
func (c *Consumer) work(ctx context.Context, gen *kafka.Generation) error {
	parts := assignments(gen)
	log := c.log.With("generation", gen.ID)
	log.Info("partitions assigned", "group", c.cfg.Group, "member", gen.MemberID, "partitions", fmt.Sprint(parts))
	var held error
	if c.cfg.Alone {
		held = errUnassigned // until the group is looked at
	}
	c.progress.assign(parts, time.Now(), held)
	defer c.progress.revoke()

	ended := make(chan error, 1)
	gen.Start(func(revoked context.Context) {
		// For generation.run it is the same whether the group ends the generation or
		// the process ends: both cancel its context.
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(revoked, cancel)()
		if c.cfg.Alone {
			if !c.awaitAlone(ctx, log, gen.MemberID, parts) {
				ended <- nil
				return
			}
			go c.watch(ctx, cancel, log, parts)
		}
		if c.cfg.Reading != nil {
			c.cfg.Reading()
		}
		ended <- newGeneration(c, log, parts, newCommitter(gen.CommitOffsets, c.cfg.CommitEvery, log)).run(ctx)
	})
	err := <-ended
	log.Info("partitions given up", "group", c.cfg.Group)
	return err
}

func assignments(gen *kafka.Generation) []TopicPartition {
	var parts []TopicPartition
	for topic, list := range gen.Assignments {
		for _, a := range list {
			parts = append(parts, TopicPartition{Topic: topic, Partition: a.ID})
		}
	}
	slices.SortFunc(parts, compare)
	return parts
}

// Lag gives, for the assigned partitions whose place is known, how many offsets
// lie between what is durable and the log's end as last heard (see Probe).
func (c *Consumer) Lag() map[TopicPartition]int64 { return c.progress.lag() }

// Assigned gives the partitions of the current assignment and when it came;
// the time is zero when there is none.
func (c *Consumer) Assigned() (parts []TopicPartition, since time.Time) { return c.progress.assigned() }

// Ready returns nil while the assigned partitions are read, and otherwise why they are not.
func (c *Consumer) Ready() error { return c.progress.ready() }

// CaughtUp is true when there is an assignment that is read, and everything in it that has
// been heard of (see Probe) is durable.
func (c *Consumer) CaughtUp() bool { return c.progress.caughtUp() }
