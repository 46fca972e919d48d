package app

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"kilim/daemon/pipeline"
	"kilim/daemon/standby"
	"kilim/graphstore"
	"kilim/rerank/publish"
)

func (a *App) newPublisher(reg prometheus.Registerer, metrics *pipeline.Metrics) (*publish.Publisher, error) {
	client := a.conn.Client()
	transport := a.conn.Transport() // its own: it is closed after a failure
	a.down.add("publisher's connections", func() error { transport.CloseIdleConnections(); return nil })
	return publish.New(publish.Config{
		Client:      &kafka.Client{Addr: client.Addr, Transport: transport},
		Store:       outbox{a.manager},
		Topics:      publish.Topics{Similar: a.cfg.Kafka.Topics.Similar, DeadLetters: a.cfg.Kafka.Topics.DeadLetters},
		Batch:       a.cfg.Publish.Batch,
		Compression: a.cfg.Publish.Compression,
		OnPublished: func([]publish.Published) { a.manager.Engine().Published() },
		Observe:     metrics.ObserveStage,
		Metrics:     publish.NewMetrics(reg),
		Log:         a.log.With("part", "publisher"),
	})
}

// outbox is publish.Store over the store that serves. A cutover puts another store in its place, but Engine.CutOver gives that
// store the same UUID, entries and sequence numbers, so the publisher need not know.
type outbox struct{ manager *standby.Manager }

func (o outbox) UUID() string { return o.manager.UUID() }

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
