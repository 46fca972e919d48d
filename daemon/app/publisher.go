package app

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer/kafkaconn"
	"kilim/daemon/standby"
	"kilim/graphstore"
	"kilim/rerank/publish"
)

// startPublisher looks what the topics hold of the state, before it gives a number, and makes the publisher of its outbox. One that follows looks on and on.
func (a *App) startPublisher(ctx context.Context, reg *prometheus.Registry) (err error) {
	transport := a.conn.Transport() // its own: it is closed after a failure
	a.down.add("publisher's connections", func() error { transport.CloseIdleConnections(); return nil })
	cfg := publish.Config{
		Addr:      a.conn.Client().Addr,
		Transport: transport,
		Store:     outbox{a.manager},
		Topics:    publish.Topics{Similar: a.cfg.Kafka.Topics.Similar, Cultures: a.cfg.Kafka.Topics.Cultures, Queries: a.cfg.Kafka.Topics.QueryLists, DeadLetters: a.cfg.Kafka.Topics.DeadLetters},
		Batch:     a.cfg.Publish.Batch, TransactionalID: a.cfg.Publish.TransactionalID,
		Compression: a.cfg.Publish.Compression,
		OnPublished: a.published,
		Republish:   a.manager.Republish,
		Ensure: func(ctx context.Context, topic string) error {
			return ensureThemeTopic(ctx, a.conn, &a.cfg.Kafka, topic)
		},
		Observe: a.metrics.ObserveStage,
		Metrics: publish.NewMetrics(reg),
		Log:     a.log.With("part", "publisher"),
	}
	if a.cfg.Publish.Follow {
		return a.startFollower(ctx, cfg, reg)
	}
	looking, cancel := context.WithTimeoutCause(ctx, kafkaconn.DefaultStartTimeout, fmt.Errorf("gave up after %v", kafkaconn.DefaultStartTimeout))
	defer cancel()
	found, err := publish.Look(looking, cfg)
	if err != nil {
		return err
	}
	if found.Unknown > 0 || found.Lost {
		if err := a.manager.Republish(found); err != nil {
			return err
		}
	}
	a.publisher, err = publish.New(cfg)
	return err
}

// publish publishes until ctx ends. With a transactional id it begins when the group has given this daemon all partitions: until then
// another may be at work, which is not to be fenced by one that waits for it.
func (a *App) publish(ctx context.Context) error {
	if a.follower != nil {
		return a.follower.Run(ctx)
	}
	if a.cfg.Publish.TransactionalID != "" {
		select {
		case <-ctx.Done():
			return nil
		case <-a.reading:
		}
	}
	return a.publisher.Run(ctx)
}

// outbox is publish.Store over the store that serves. A cutover puts another store in its place, but Engine.CutOver gives that
// store the same writer, entries and sequence numbers, so the publisher need not know.
type outbox struct{ manager *standby.Manager }

func (o outbox) Writer() (writer string, err error) {
	err = o.manager.View(func(r *graphstore.Reader) error {
		writer, err = r.Writer()
		return err
	})
	return writer, err
}

func (o outbox) Next() (next uint64) {
	_ = o.manager.Publisher(func(s *graphstore.Store) error { next = s.NextSeq(); return nil }) // which returns the error of fn
	return next
}

func (o outbox) Outbox(after uint64, limit int) (out []publish.Entry, err error) {
	err = o.manager.Publisher(func(s *graphstore.Store) error {
		return s.View(func(r *graphstore.Reader) error {
			entries, err := r.Outbox(after, limit)
			for _, e := range entries {
				out = append(out, publish.Entry{Seq: e.Seq, Value: e.Value})
			}
			return err
		})
	})
	return out, err
}

func (o outbox) Ack(upto uint64, positions []publish.Position) error {
	next := make([]graphstore.Position, len(positions))
	for i, p := range positions {
		next[i] = graphstore.Position(p)
	}
	return o.manager.Publisher(func(s *graphstore.Store) error { return s.Ack(upto, next) })
}

func (o outbox) Positions() (out []publish.Position, err error) {
	err = o.manager.Publisher(func(s *graphstore.Store) error {
		stored, err := s.Positions()
		for _, p := range stored {
			out = append(out, publish.Position(p))
		}
		return err
	})
	return out, err
}
