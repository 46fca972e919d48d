package app

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"kilim/daemon/demo"
	"kilim/graphstore"
)

// startDemo looks how much of the demo archive has arrived: the demo goes on after it.
func (a *App) startDemo(context.Context, *prometheus.Registry) error {
	settings := a.cfg.Demo
	if settings.Artifacts == 0 {
		return nil
	}
	have, err := a.demoStored()
	if err != nil {
		return err
	}
	a.demoLeft = settings.Artifacts - have
	if a.demoLeft > 0 {
		a.parts = append(a.parts, part{"demo", a.feedDemo})
	}
	return nil
}

// demoStored is how many artifacts the demo archive has up to the last one that is in the
// state. The length of the topic does not tell: it may hold others' artifacts too. What
// was fed and not yet applied at the last stop is fed again, which does no harm.
func (a *App) demoStored() (n int, err error) {
	if a.manager.Engine().Status().Artifacts == 0 {
		return 0, nil
	}
	err = a.manager.View(func(r *graphstore.Reader) error {
		for n = a.cfg.Demo.Artifacts; n > 0; n-- {
			node, err := r.Node(graphstore.ID(graphstore.Artifact, demo.ID(n-1)))
			if err != nil {
				return err
			}
			if node.IsArtifact() {
				return nil
			}
		}
		return nil
	})
	return n, err
}

// DemoLeft is how many artifacts of the demo archive were still to come at the start.
func (a *App) DemoLeft() int { return a.demoLeft }

// feedDemo feeds the rest of the demo archive into the topic, at the configured pace.
func (a *App) feedDemo(ctx context.Context) error {
	settings := a.cfg.Demo
	opt := demo.Options{Artifacts: settings.Artifacts, Seed: uint64(settings.Seed), Media: true}
	topic := a.cfg.Kafka.Topics.Artifacts
	w := &kafka.Writer{
		Addr: kafka.TCP(a.conn.Brokers()...), Topic: topic,
		// As `kilim feed` and Java's clients do, so that an artifact is always in one partition.
		Balancer:     kafka.Murmur2Balancer{},
		RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond, Transport: a.conn.Transport(),
	}
	tick := time.NewTicker(time.Duration(float64(time.Second) / settings.Rate))
	defer tick.Stop()
	n := 0
	err := demo.Each(opt, func(record []byte, id string) error {
		if n++; n <= settings.Artifacts-a.demoLeft {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		return w.WriteMessages(ctx, kafka.Message{Key: []byte(id), Value: record})
	})
	err = errors.Join(err, w.Close())
	if err == nil {
		a.log.Info("the demo archive is in the topic", "topic", topic, "artifacts", n)
	}
	return err
}
