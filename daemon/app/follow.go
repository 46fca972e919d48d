package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer"
	"kilim/consumer/kafkaconn"
	"kilim/daemon/follow"
	"kilim/daemon/web"
	"kilim/rerank/publish"
)

// followBackoff is the longest pause of an owner after a failure. It is less than a follower's patience, lest a broker's restart make another the owner.
const followBackoff = time.Second

// startFollower makes the part that follows another daemon, and publishes when that is gone.
func (a *App) startFollower(ctx context.Context, cfg publish.Config, reg *prometheus.Registry) (err error) {
	cfg.Topics.Owner = a.cfg.Kafka.Topics.Owner
	cfg.Reached, cfg.Tolerance, cfg.MaxBackoff = a.reached, float32(a.cfg.Lists.Tolerance), followBackoff
	if err := a.conn.EnsureTopics(ctx, []kafkaconn.TopicSpec{a.cfg.Kafka.OwnerTopic()}); err != nil {
		return err
	}
	if a.publisher, err = publish.New(cfg); err != nil {
		return err
	}
	a.follower = follow.New(follow.Config{
		Publisher: a.publisher, Stored: a.reached, Applied: func() map[consumer.TopicPartition]int64 { return a.consumer.Applied() },
		Republish: a.manager.Republish, Settled: func() bool { return a.manager.Engine().AllPublished() },
		Metrics: follow.NewMetrics(reg), Log: a.log.With("part", "follower"),
	})
	return nil
}

// reached are the offsets of the state, of the partitions that are read.
func (a *App) reached() (out []publish.Reached, err error) {
	parts, _ := a.consumer.Assigned()
	for _, tp := range parts {
		o, ok, err := a.manager.StoredOffset(tp.Topic, tp.Partition)
		if err != nil {
			return nil, fmt.Errorf("stored offset of %v: %w", tp, err)
		}
		if ok {
			out = append(out, publish.Reached{Topic: tp.Topic, Partition: tp.Partition, Next: o.Next})
		}
	}
	return out, nil
}

// errShared is why a daemon that follows, or is followed, promotes no model.
var errShared = errors.New("with publish.follow no model is promoted: the other daemon would have other lists")

// mayPromote is nil if the models of this daemon are its own affair.
func (a *App) mayPromote() error {
	if a.cfg.Publish.Follow {
		return fmt.Errorf("%w: %w", web.ErrConflict, errShared)
	}
	return nil
}
