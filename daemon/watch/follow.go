package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"kilim/consumer/kafkaconn"
)

// Options of Follow.
type Options struct {
	Topic         string
	FromBeginning bool // else what comes from now on
	// Started, when set, is called once the place to begin at is fixed in every
	// partition: what is written after that is seen.
	Started func()
	// Log hears of waiting and of attempts that are repeated. Nil is silent.
	Log *slog.Logger
}

const (
	maxWait  = 500 * time.Millisecond
	maxBytes = 16 << 20
)

// Follow calls fn with each message, one at a time, in the order of its partition, until
// ctx ends (and returns nil) or fn fails. It waits for a topic that does not exist
// yet, and for brokers that do not answer.
func Follow(ctx context.Context, conn *kafkaconn.Conn, opt Options, fn func(kafka.Message) error) error {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	from, err := begin(ctx, conn, opt)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	if opt.Started != nil {
		opt.Started()
	}
	messages := make(chan kafka.Message)
	g, gctx := errgroup.WithContext(ctx)
	for partition, offset := range from {
		g.Go(func() error { return read(gctx, conn, opt, partition, offset, messages) })
	}
	g.Go(func() error {
		for {
			select {
			case m := <-messages:
				if err := fn(m); err != nil {
					return err
				}
			case <-gctx.Done():
				return nil
			}
		}
	})
	return g.Wait()
}

// begin returns the offset to begin at in each partition.
func begin(ctx context.Context, conn *kafkaconn.Conn, opt Options) (map[int]int64, error) {
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval, policy.MaxInterval = 100*time.Millisecond, 2*time.Second
	waiting := false
	return backoff.Retry(ctx, func() (map[int]int64, error) {
		from, err := offsets(ctx, conn, opt)
		if err != nil && !waiting {
			waiting = true
			opt.Log.Info("waiting for the topic", "topic", opt.Topic, "brokers", conn.String(), "error", err)
		}
		return from, err
	}, backoff.WithBackOff(policy), backoff.WithMaxElapsedTime(0))
}

func offsets(ctx context.Context, conn *kafkaconn.Conn, opt Options) (map[int]int64, error) {
	// A client of its own: kafka-go's transport keeps a failure for seconds.
	transport := conn.Transport()
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(conn.Brokers()...), Transport: transport, Timeout: 10 * time.Second}
	meta, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{opt.Topic}})
	if err != nil {
		return nil, fmt.Errorf("partitions of topic %q: %w", opt.Topic, err)
	}
	var ask []kafka.OffsetRequest
	for _, t := range meta.Topics {
		if t.Name != opt.Topic {
			continue
		}
		if t.Error != nil {
			return nil, fmt.Errorf("partitions of topic %q: %w", opt.Topic, t.Error)
		}
		for _, p := range t.Partitions {
			if opt.FromBeginning {
				ask = append(ask, kafka.FirstOffsetOf(p.ID))
			} else {
				ask = append(ask, kafka.LastOffsetOf(p.ID))
			}
		}
	}
	if len(ask) == 0 {
		return nil, fmt.Errorf("topic %q: %w", opt.Topic, kafka.UnknownTopicOrPartition)
	}
	res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{opt.Topic: ask}})
	if err != nil {
		return nil, fmt.Errorf("offsets of topic %q: %w", opt.Topic, err)
	}
	from := map[int]int64{}
	for _, p := range res.Topics[opt.Topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("offsets of topic %q partition %d: %w", opt.Topic, p.Partition, p.Error)
		}
		from[p.Partition] = p.LastOffset
		if opt.FromBeginning {
			from[p.Partition] = p.FirstOffset
		}
	}
	return from, nil
}

func read(ctx context.Context, conn *kafkaconn.Conn, opt Options, partition int, offset int64, out chan<- kafka.Message) error {
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers: conn.Brokers(), Dialer: conn.Dialer(), Topic: opt.Topic, Partition: partition,
		MinBytes: 1, MaxBytes: maxBytes, MaxWait: maxWait, ReadLagInterval: -1,
	})
	defer func() { _ = r.Close() }() // nothing was committed, so there is nothing to lose
	if err := r.SetOffset(offset); err != nil {
		return fmt.Errorf("topic %q partition %d: %w", opt.Topic, partition, err)
	}
	for {
		m, err := r.ReadMessage(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			// The reader has tried several times and goes on trying.
			opt.Log.Warn("reading", "topic", opt.Topic, "partition", partition, "error", err)
			if !pause(ctx, time.Second) {
				return nil
			}
			continue
		}
		select {
		case out <- m:
		case <-ctx.Done():
			return nil
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ErrNotUpdate is returned for a message that is not a list's update.
var ErrNotUpdate = errors.New("not an update of a list")
