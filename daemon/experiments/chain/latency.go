package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// latency is from the time that an artifact was due to the receipt of its own
// update, in milliseconds. LateHalfP50 is of the second half: far above P50 it
// says that the rate was too much and a queue grew.
type latency struct {
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	Max         float64 `json:"max_ms"`
	LateHalfP50 float64 `json:"late_half_p50_ms"`
}

// ourLatency measures kilim with all but the last artifacts of the feed applied
// and settled.
func (l *lab) ourLatency(ctx context.Context) (_ *ourRun, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.opt.timeout)
	defer cancel()
	n, prefill := len(l.feed), len(l.feed)-l.opt.measured
	t, err := l.begin(ctx, "kilim-"+onlyLatency, l.feed[:prefill])
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.end(ctx)) }()
	if _, err := t.daemon.settle(ctx, prefill); err != nil {
		return nil, err
	}
	if t.receiver, err = l.kafka.receive(t.topics.similar); err != nil {
		return nil, err
	}
	if err := t.receiver.await(ctx, prefill); err != nil {
		return nil, err
	}
	before, err := t.daemon.scrape(ctx)
	if err != nil {
		return nil, err
	}
	if err := sleep(ctx, l.opt.pause); err != nil {
		return nil, err
	}
	due, err := l.send(ctx, t.topics.artifacts, l.feed[prefill:])
	if err != nil {
		return nil, err
	}
	if err := t.receiver.await(ctx, n); err != nil {
		return nil, err
	}
	after, err := t.daemon.scrape(ctx)
	if err != nil {
		return nil, err
	}
	r := &ourRun{Artifacts: n}
	r.work(before, after, l.opt.measured)
	if r.latency, err = t.latencies(l.feed[prefill:], due); err != nil {
		return nil, err
	}
	if _, err := t.daemon.settle(ctx, n); err != nil {
		return nil, err
	}
	return r, t.finish(ctx, r, n)
}

func (t *trial) latencies(records []record, due []time.Time) (*latency, error) {
	ms := make([]float64, len(records))
	for i, r := range records {
		at, ok := t.receiver.arrived(r.id)
		if !ok {
			return nil, fmt.Errorf("artifact %q has no update", r.id)
		}
		ms[i] = at.Sub(due[i]).Seconds() * 1e3
	}
	return &latency{
		P50: median(ms), P99: quantile(ms, 0.99), Max: quantile(ms, 1),
		LateHalfP50: median(ms[len(ms)/2:]),
	}, nil
}

// send produces artifacts at the configured rate, each at its time however late those
// before are, and returns when each was due.
func (l *lab) send(ctx context.Context, topic string, records []record) ([]time.Time, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(l.kafka.addr), kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0))
	if err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	var (
		mu     sync.Mutex
		failed error
	)
	due := make([]time.Time, len(records))
	start := time.Now()
	for i, r := range records {
		due[i] = start.Add(time.Duration(float64(i) / l.opt.rate * float64(time.Second)))
		if err := sleep(ctx, time.Until(due[i])); err != nil {
			return nil, err
		}
		client.Produce(ctx, &kgo.Record{Key: []byte(r.id), Value: r.line}, func(_ *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			failed = errors.Join(failed, err)
		})
	}
	if err := client.Flush(ctx); err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	mu.Lock()
	defer mu.Unlock()
	return due, failed
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
