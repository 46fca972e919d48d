package app

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"kilim/daemon/chain"
	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/publish"
)

func (a *App) newPublisher(reg prometheus.Registerer, metrics *chain.Metrics) (*publish.Publisher, error) {
	client := a.conn.Client()
	transport := a.conn.Transport() // its own: it is closed after a failure
	a.down.add("publisher's connections", func() error { transport.CloseIdleConnections(); return nil })
	return publish.New(publish.Config{
		Client:      &kafka.Client{Addr: client.Addr, Transport: transport},
		Store:       outbox{a.store},
		Topics:      rerank.Topics{Similar: a.cfg.Kafka.Topics.Similar, DeadLetters: a.cfg.Kafka.Topics.DeadLetters},
		Batch:       a.cfg.Publish.Batch,
		Compression: a.cfg.Publish.Compression,
		OnPublished: func([]publish.Published) { a.engine.Published() },
		Observe:     metrics.ObserveStage,
		Metrics:     publish.NewMetrics(reg),
		Log:         a.log.With("part", "publisher"),
	})
}

// outbox is the store as the publisher sees it.
type outbox struct{ store *graphstore.Store }

func (o outbox) UUID() string { return o.store.UUID() }

func (o outbox) Outbox(after uint64, limit int) (out []publish.Entry, err error) {
	err = o.store.View(func(r *graphstore.Reader) error {
		entries, err := r.Outbox(after, limit)
		for _, e := range entries {
			out = append(out, publish.Entry{Seq: e.Seq, Value: e.Value})
		}
		return err
	})
	return out, err
}

func (o outbox) Ack(upto uint64, positions []publish.Position) error {
	next := make([]graphstore.Position, len(positions))
	for i, p := range positions {
		next[i] = graphstore.Position(p)
	}
	return o.store.Ack(upto, next)
}

func (o outbox) Positions() ([]publish.Position, error) {
	stored, err := o.store.Positions()
	out := make([]publish.Position, len(stored))
	for i, p := range stored {
		out[i] = publish.Position(p)
	}
	return out, err
}
