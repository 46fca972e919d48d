package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"kilim/consumer/kafkaconn"
	"kilim/internal/pause"
)

// Options of Follow.
type Options struct {
	Topic         string
	FromBeginning bool // else what comes from now on
	// ToEnd has Follow return when it has given all that was there when it began.
	ToEnd bool
	// Started, when set, is called once the place to begin at is fixed in every
	// partition: what is written after that is seen.
	Started func()
	// Log hears of waiting and of attempts that are repeated. Nil is silent.
	Log *slog.Logger
}

const (
	maxWait  = 500 * time.Millisecond
	maxBytes = 16 << 20
	// silence is how long a partition gives nothing until its end counts as reached: the last offsets may be of no message.
	silence = 5 * time.Second
)

// span is what is read of a partition: from an offset, to the one behind its last when Follow began.
type span struct{ from, to int64 }

// Follow calls fn with each message, one at a time, in the order of its partition, until
// ctx ends (and returns nil), fn fails, or all is given that Options.ToEnd asks for. It waits for a topic that does not exist
// yet, and for brokers that do not answer.
func Follow(ctx context.Context, conn *kafkaconn.Conn, opt Options, fn func(kafka.Message) error) error {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	spans, err := begin(ctx, conn, opt)
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
	var readers sync.WaitGroup
	for partition, s := range spans {
		readers.Add(1)
		g.Go(func() error {
			defer readers.Done()
			return read(gctx, conn, opt, partition, s, messages)
		})
	}
	go func() {
		readers.Wait()
		close(messages)
	}()
	g.Go(func() error {
		for m := range messages {
			if err := fn(m); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

// begin returns what is to be read of each partition.
func begin(ctx context.Context, conn *kafkaconn.Conn, opt Options) (map[int]span, error) {
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval, policy.MaxInterval = 100*time.Millisecond, 2*time.Second
	waiting := false
	return backoff.Retry(ctx, func() (map[int]span, error) {
		spans, err := offsets(ctx, conn, opt)
		if err != nil && !waiting {
			waiting = true
			opt.Log.Info("waiting for the topic", "topic", opt.Topic, "brokers", conn.String(), "error", err)
		}
		return spans, err
	}, backoff.WithBackOff(policy), backoff.WithMaxElapsedTime(0))
}

func offsets(ctx context.Context, conn *kafkaconn.Conn, opt Options) (map[int]span, error) {
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
			ask = append(ask, kafka.FirstOffsetOf(p.ID), kafka.LastOffsetOf(p.ID))
		}
	}
	if len(ask) == 0 {
		return nil, fmt.Errorf("topic %q: %w", opt.Topic, kafka.UnknownTopicOrPartition)
	}
	res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{opt.Topic: ask}})
	if err != nil {
		return nil, fmt.Errorf("offsets of topic %q: %w", opt.Topic, err)
	}
	spans := map[int]span{}
	for _, p := range res.Topics[opt.Topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("offsets of topic %q partition %d: %w", opt.Topic, p.Partition, p.Error)
		}
		s := span{p.LastOffset, p.LastOffset}
		if opt.FromBeginning {
			s.from = p.FirstOffset
		}
		spans[p.Partition] = s
	}
	return spans, nil
}

func read(ctx context.Context, conn *kafkaconn.Conn, opt Options, partition int, s span, out chan<- kafka.Message) error {
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers: conn.Brokers(), Dialer: conn.Dialer(), Topic: opt.Topic, Partition: partition,
		MinBytes: 1, MaxBytes: maxBytes, MaxWait: maxWait, ReadLagInterval: -1,
	})
	defer func() { _ = r.Close() }() // nothing was committed, so there is nothing to lose
	if err := r.SetOffset(s.from); err != nil {
		return fmt.Errorf("topic %q partition %d: %w", opt.Topic, partition, err)
	}
	for next := s.from; !opt.ToEnd || next < s.to; {
		m, err := receive(ctx, r, opt)
		switch {
		case ctx.Err() != nil:
			return nil
		case opt.ToEnd && errors.Is(err, context.DeadlineExceeded):
			opt.Log.Warn("nothing more comes", "topic", opt.Topic, "partition", partition, "next", next, "end", s.to)
			return nil
		case err != nil:
			// The reader has tried several times and goes on trying.
			opt.Log.Warn("reading", "topic", opt.Topic, "partition", partition, "error", err)
			if !pause.For(ctx, time.Second) {
				return nil
			}
			continue
		}
		next = m.Offset + 1
		select {
		case out <- m:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func receive(ctx context.Context, r *kafka.Reader, opt Options) (kafka.Message, error) {
	if opt.ToEnd {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, silence)
		defer cancel()
	}
	return r.ReadMessage(ctx)
}

// ErrNotUpdate is returned for a message that is not a list's update.
var ErrNotUpdate = errors.New("not an update of a list")
