package compacted

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"kilim/consumer/kafkaconn"
	"kilim/consumer/logread"
	"kilim/internal/pause"
)

const (
	fetchBytes = 1 << 20
	fetchWait  = 500 * time.Millisecond
	timeout    = 10 * time.Second
	// rest is how long a failed reader waits, and lookEvery how often the topic is asked whether it has got partitions.
	rest      = time.Second
	lookEvery = 30 * time.Second
	// againAfter is how long a write that failed waits.
	againAfter = 200 * time.Millisecond
)

// Set is what the records of a topic say now. Its methods may be called from several goroutines at once.
type Set interface {
	// Record takes up a record; a nil value is a tombstone. Its error says why the record can't be used.
	Record(partition int, key string, value []byte) error
	// Forget drops what was read of a partition.
	Forget(partition int)
}

// Config is what a Log works with.
type Config struct {
	// Topic must exist when it is used. What names its records, for errors: "judgments".
	Topic, What string
	Set         Set
	// RecordBytes is the most that a record may take; 0: 1 MiB.
	RecordBytes int
	// Refused counts the records that can't be used.
	Refused prometheus.Counter
	Log     *slog.Logger
}

// Log is the topic.
type Log struct {
	cfg    Config
	client *kafka.Client
	logs   *logread.Reader
	log    *slog.Logger

	mu sync.Mutex
	// next is what each partition has been read up to; moved is closed when one goes on, and replaced.
	next  map[int]int64
	moved chan struct{}
	// caughtUp tells of each partition whether it has been read as far as it went when its reading began.
	caughtUp map[int]bool
}

// New makes the Log of a topic.
func New(conn *kafkaconn.Conn, cfg Config) *Log {
	transport := conn.Transport()
	addr := kafka.TCP(conn.Brokers()...)
	return &Log{
		cfg: cfg, log: cfg.Log.With("topic", cfg.Topic), next: map[int]int64{}, moved: make(chan struct{}), caughtUp: map[int]bool{},
		client: &kafka.Client{Addr: addr, Transport: transport, Timeout: timeout},
		logs: &logread.Reader{Transport: transport, Addr: addr, Isolation: kafka.ReadCommitted,
			MaxBytes: max(fetchBytes, cfg.RecordBytes), Wait: fetchWait, Timeout: timeout},
	}
}

// Close lets go of the connections.
func (l *Log) Close() { l.logs.Transport.CloseIdleConnections() }

// Complete tells whether the Set has all that the topic says: not before Run has read each partition as far as it
// went when that began, nor while it is read anew.
func (l *Log) Complete() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	complete := len(l.caughtUp) > 0
	for _, caught := range l.caughtUp {
		complete = complete && caught
	}
	return complete
}

// Read takes up what the topic says now, once.
func (l *Log) Read(ctx context.Context) error {
	partitions, err := l.partitions(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", l.cfg.What, err)
	}
	for _, p := range partitions {
		_, end, err := l.bounds(ctx, p)
		if err == nil {
			err = l.read(ctx, p, func(next int64) bool { return next >= end })
		}
		if err != nil {
			return fmt.Errorf("%s: %w", l.cfg.What, err)
		}
	}
	return nil
}

// Run follows the topic until ctx ends. Kafka's failures are retried for ever.
func (l *Log) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		reading := map[int]bool{}
		for {
			partitions, err := l.partitions(ctx)
			if err != nil && ctx.Err() == nil {
				l.log.Warn("can't see the topic, trying again until it works", "error", err)
			}
			for _, p := range partitions {
				if !reading[p] {
					reading[p] = true
					l.catchUp(p, false)
					g.Go(func() error { return l.follow(ctx, p) })
				}
			}
			wait := lookEvery
			if err != nil {
				wait = rest
			}
			if !pause.For(ctx, wait) {
				return nil
			}
		}
	})
	return g.Wait()
}

// follow reads a partition from its beginning, and again from there when its log is another than before.
func (l *Log) follow(ctx context.Context, partition int) error {
	for ctx.Err() == nil {
		err := l.read(ctx, partition, func(int64) bool { return false })
		if ctx.Err() != nil {
			return nil
		}
		l.log.Warn("can't read "+l.cfg.What+", beginning anew until it works", "partition", partition, "error", err)
		if !pause.For(ctx, rest) {
			return nil
		}
	}
	return nil
}

// read takes up a partition from its first record until done says of the next offset that it is enough, or a failure. What was read of the
// partition before is replaced: it goes when the first page is there, so that a broker which does not answer costs nothing.
func (l *Log) read(ctx context.Context, partition int, done func(next int64) bool) error {
	at, err := l.logs.Identify(ctx, l.cfg.Topic, partition)
	if err != nil {
		return err
	}
	next, end, err := l.bounds(ctx, partition)
	if err != nil {
		return err
	}
	l.catchUp(partition, false)
	for fresh := true; !done(next); fresh = false {
		pg, err := l.fetch(ctx, at, next)
		if err != nil {
			return err
		}
		if fresh {
			l.cfg.Set.Forget(partition)
		}
		for r := range pg.Records() {
			if err := l.take(partition, r.Key, r.Value, r.Dropped, r.Fault); err != nil {
				l.cfg.Refused.Inc()
				l.log.Warn("one of "+l.cfg.What+" can't be used", "partition", partition, "offset", r.Offset, "error", err)
			}
		}
		next = pg.Next
		l.reached(partition, next)
		if next >= end {
			l.catchUp(partition, true)
		}
	}
	return nil
}

func (l *Log) catchUp(partition int, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.caughtUp[partition] = done
}

// fetch repeats what fails but for a log that is another one, of which what was read must be forgotten.
func (l *Log) fetch(ctx context.Context, at logread.Log, next int64) (logread.Page, error) {
	for warned := false; ; warned = true {
		pg, err := l.logs.Fetch(ctx, at, next)
		anew := errors.Is(err, kafka.OffsetOutOfRange) || errors.Is(err, kafka.UnknownTopicID) || errors.Is(err, kafka.InconsistentTopicID)
		if err == nil || anew || ctx.Err() != nil {
			return pg, err
		}
		if !warned {
			l.log.Warn("can't fetch "+l.cfg.What+", trying again until it works", "partition", at.Partition, "error", err)
		}
		if !pause.For(ctx, rest) {
			return pg, ctx.Err()
		}
	}
}

func (l *Log) take(partition int, key, value []byte, dropped int, fault error) error {
	switch {
	case fault != nil:
		return fault
	case dropped > 0:
		return fmt.Errorf("key %.100q: %d bytes too many", key, dropped)
	}
	return l.cfg.Set.Record(partition, string(key), value)
}

func (l *Log) reached(partition int, next int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next[partition] = next
	close(l.moved)
	l.moved = make(chan struct{})
}

// until waits until a partition has been read up to an offset.
func (l *Log) until(ctx context.Context, partition int, next int64) error {
	for {
		l.mu.Lock()
		at, moved := l.next[partition], l.moved
		l.mu.Unlock()
		if at >= next {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("%s: it is written, and not read back yet: %w", l.cfg.What, ctx.Err())
		}
	}
}
