package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"

	"kilim/consumer/logread"
	"kilim/internal/pause"
)

// page is how many entries are read from the store at a time, and loadBytes when it is
// enough: dead letters may be as large as records, and a thousand of them as large as memory.
const (
	page      = 64
	loadBytes = 8 << 20
)

// Publisher delivers the outbox of one store. Only one may do so at a time.
type Publisher struct {
	cfg         Config
	compression kafka.Compression
	client      *kafka.Client
	logs        *logread.Reader
	writer      string
	wake        chan struct{}

	// What follows is used by the goroutine of Run only.

	// acked is the last sequence number that has left the outbox in this process's time.
	acked uint64
	// delivered are those above acked that a broker has acknowledged, or that
	// reconciliation has found.
	delivered map[uint64]struct{}
	positions map[topicPartition]int64
	// begunAnew are the partitions that gave a message an offset before the stored position.
	begunAnew map[topicPartition]struct{}
	// topics are those reconciled since the start or the last failure.
	topics   map[string]*topic
	producer producer
	// unsettled is true while requests that nobody waits for may still be carried out: those of the process before, or
	// unanswered ones without a producer id. settled then waits until the ends of the partitions are at rest.
	unsettled bool

	// What follows is of use with Topics.Owner only. reached is what the last Beat said, beaten when.
	reached []Reached
	beaten  time.Time
	// held is what the topics held when this process took over, until settledAll, and clearing is true during Clear.
	held       *Holdings
	settledAll func() bool
	clearing   bool
}

// topicPartition names one partition of a topic. The publisher's order and its positions are by partition.
type topicPartition struct {
	topic     string
	partition int
}

// storeError marks an error of the store, and what tells that another process publishes: after it Run returns. All other errors are Kafka's, which Run retries.
type storeError struct{ error }

func (e storeError) Unwrap() error { return e.error }

// New checks the configuration. It does not connect.
func New(cfg Config) (*Publisher, error) {
	cfg, compression, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	// Uncommitted: without transactions of its own, its messages are not to be missed behind somebody's open one.
	isolation := kafka.ReadUncommitted
	if cfg.TransactionalID != "" {
		isolation = kafka.ReadCommitted // what was aborted was not told
	}
	p := &Publisher{
		cfg:         cfg,
		compression: compression,
		// kafka-go tells the broker half of this as the time that replicas may take.
		client: &kafka.Client{Addr: cfg.Addr, Transport: cfg.Transport, Timeout: cfg.Timeout},
		logs: &logread.Reader{
			Transport: cfg.Transport, Addr: cfg.Addr, Isolation: isolation,
			MaxBytes: fetchBytes, Wait: fetchWait, Timeout: cfg.Timeout,
		},
		positions: map[topicPartition]int64{},
		wake:      make(chan struct{}, 1),
		delivered: map[uint64]struct{}{},
		begunAnew: map[topicPartition]struct{}{},
		topics:    map[string]*topic{},
		unsettled: true,
	}
	return p, p.begunBy()
}

// begunBy asks the store who writes.
func (p *Publisher) begunBy() (err error) {
	was := p.writer
	if p.writer, err = p.cfg.Store.Writer(); err != nil {
		return fmt.Errorf("publish: writer: %w", err)
	}
	if p.cfg.Source == "" || p.cfg.Source == "/kilim/"+was {
		p.cfg.Source = "/kilim/" + p.writer
	}
	return nil
}

// Wake says that the outbox has something new. It never blocks; a call while the
// publisher works is not lost.
func (p *Publisher) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run delivers what is in the outbox and then whatever Wake announces, until ctx ends; then it
// returns nil, once the requests in flight are answered or Config.Grace is over.
// Kafka's failures are retried for ever. An error is the store's, or says that an entry can't
// be read.
func (p *Publisher) Run(ctx context.Context) error {
	if p.owning() { // since New the store has become another writer
		if err := p.begunBy(); err != nil {
			return err
		}
		p.acked, p.delivered, p.topics = 0, map[uint64]struct{}{}, map[string]*topic{}
	}
	if err := p.loadPositions(); err != nil {
		return err
	}
	var beats <-chan time.Time
	if p.owning() {
		tick := time.NewTicker(BeatEvery)
		defer tick.Stop()
		beats = tick.C
	}
	delay := backoff.NewExponentialBackOff()
	delay.InitialInterval, delay.MaxInterval = p.cfg.MinBackoff, p.cfg.MaxBackoff
	anchored, unfinished := false, false
	for ctx.Err() == nil {
		settled := p.held != nil && p.settledAll()
		err := p.drain(ctx)
		if err == nil && settled && ctx.Err() == nil {
			p.held = nil
		}
		if err == nil && !anchored {
			err = p.anchor(ctx)
			anchored = err == nil
		}
		if err == nil && p.owning() && time.Since(p.beaten) >= BeatEvery && ctx.Err() == nil {
			err = p.beat(ctx, false)
		}
		unfinished = err != nil
		var fatal storeError
		switch {
		case errors.As(err, &fatal):
			return fmt.Errorf("publish: %w", fatal.error)
		case err == nil:
			delay.Reset()
			select {
			case <-p.wake:
			case <-beats:
			case <-ctx.Done():
			}
		case ctx.Err() == nil:
			p.failed(err)
			pause.For(ctx, delay.NextBackOff())
		}
	}
	if p.owning() {
		if unfinished {
			p.failed(context.Cause(ctx)) // a transaction may be open: it is not to be committed with the last Beat
		}
		p.leave(ctx)
	}
	return nil
}

func (p *Publisher) loadPositions() error {
	stored, err := p.cfg.Store.Positions()
	if err != nil {
		return fmt.Errorf("publish: positions: %w", err)
	}
	p.positions = make(map[topicPartition]int64, len(stored))
	for _, s := range stored {
		p.positions[topicPartition{s.Topic, s.Partition}] = s.Next
	}
	return nil
}

// failed forgets the reconciled topics: after a failure it is not known which messages arrived, so publish must reconcile
// before it sends again.
func (p *Publisher) failed(err error) {
	p.cfg.Metrics.failures.Inc()
	p.cfg.Log.Warn("publishing failed; what was sent will be looked up before it is tried again", "err", err)
	p.topics = map[string]*topic{}
	if p.transactional() {
		clear(p.delivered) // what a transaction was to have, which may be aborted
		p.producer.known = false
	}
	p.reconnect()
}

// reconnect has new connections made: they bring fresh metadata, and leave nothing half sent on the old ones.
func (p *Publisher) reconnect() {
	p.cfg.Transport.CloseIdleConnections()
}

// drain publishes batches until the outbox is empty, or ctx ends (nil in both cases), or one fails.
func (p *Publisher) drain(ctx context.Context) error {
	for ctx.Err() == nil {
		entries, err := p.load()
		if err != nil {
			return storeError{err}
		}
		if len(entries) == 0 {
			return nil
		}
		if err := p.publish(ctx, entries); err != nil {
			return err
		}
	}
	return nil
}

// load reads the next entries of the outbox.
func (p *Publisher) load() ([]Entry, error) {
	var out []Entry
	after, bytes := p.acked, 0
	for len(out) < p.cfg.Batch && bytes < loadBytes {
		limit := min(page, p.cfg.Batch-len(out))
		entries, err := p.cfg.Store.Outbox(after, limit)
		if err != nil {
			return nil, fmt.Errorf("read the outbox after %d: %w", after, err)
		}
		for i := range entries {
			if entries[i].Seq <= after {
				return nil, fmt.Errorf("read the outbox: entry %d comes after %d", entries[i].Seq, after)
			}
			after = entries[i].Seq
			bytes += len(entries[i].Value)
		}
		out = append(out, entries...)
		if len(entries) < limit {
			break
		}
	}
	return out, nil
}

// publish delivers entries and takes them out of the outbox. After an error none has left
// it, though some may be delivered: reconciliation finds these.
func (p *Publisher) publish(ctx context.Context, entries []Entry) error {
	start := time.Now()
	out, err := p.render(entries)
	if err != nil {
		return storeError{err}
	}
	// Not errgroup's context nor ctx: a request that is given up is one to reconcile.
	ctx, cancel := graceful(ctx, p.cfg.Grace)
	defer cancel()
	if p.transactional() {
		if err := p.own(ctx); err != nil {
			return err
		}
	}
	artifacts, err := p.amend(out)
	if err != nil {
		return storeError{err}
	}
	shares, err := p.share(ctx, out)
	if err != nil {
		return err
	}
	if err := p.send(ctx, shares); err != nil {
		return err
	}
	var positions []Position
	for at, s := range shares {
		if s.next >= 0 {
			positions = append(positions, Position{Topic: at.topic, Partition: at.partition, Next: s.next})
		}
	}
	if err := p.ack(out[len(out)-1].seq, positions); err != nil {
		return err
	}
	p.settle(artifacts)
	done := make([]Published, 0, len(out))
	for i := range out {
		if !out[i].needless {
			done = append(done, out[i].published())
		}
	}
	p.cfg.Metrics.acked(done, time.Now())
	if p.cfg.Observe != nil {
		p.cfg.Observe("publish", time.Since(start))
	}
	if p.cfg.OnPublished != nil {
		p.cfg.OnPublished(done)
	}
	return nil
}

// ack stores positions, and takes the entries up to upto out of the outbox.
func (p *Publisher) ack(upto uint64, positions []Position) error {
	slices.SortFunc(positions, func(a, b Position) int {
		return topicPartition{a.Topic, a.Partition}.compare(topicPartition{b.Topic, b.Partition})
	})
	if err := p.cfg.Store.Ack(upto, positions); err != nil {
		return storeError{fmt.Errorf("acknowledge entries up to %d: %w", upto, err)}
	}
	for _, s := range positions {
		p.positions[topicPartition{s.Topic, s.Partition}] = s.Next
	}
	if upto > p.acked {
		p.acked = upto
		// Those above stay: acknowledgements that were not durable at a crash leave messages of several batches in the topics.
		maps.DeleteFunc(p.delivered, func(seq uint64, _ struct{}) bool { return seq <= upto })
	}
	return nil
}

// graceful returns a context that outlives ctx by the grace period.
func graceful(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		pause.For(out, grace)
		cancel()
	})
	return out, func() {
		stop()
		cancel()
	}
}
