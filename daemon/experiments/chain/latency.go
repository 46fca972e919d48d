package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/feedfile"
	"kilim/daemon/experiments/stats"
)

// latency is from the time that an artifact was due to the receipt of its own
// update, in milliseconds. LateHalfP50 is of the second half: far above P50 it
// says that the rate was too much and a queue grew.
type latency struct {
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	Max         float64 `json:"max_ms"`
	LateHalfP50 float64 `json:"late_half_p50_ms"`
	// Slowest are kilim's batches whose lists came latest, as it tells of them.
	Slowest []daemonproc.SlowBatch `json:"slowest,omitempty"`
}

// ourLatency measures kilim with all but the last artifacts of the feed applied
// and settled.
func (e *experiment) ourLatency(ctx context.Context) (_ *ourRun, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.opt.timeout)
	defer cancel()
	n, prefill := len(e.feed), len(e.feed)-e.opt.measured
	t, err := e.begin(ctx, "kilim-"+onlyLatency, e.feed[:prefill])
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.end(ctx)) }()
	alive, release := t.daemon.Alive(ctx)
	defer release()
	if _, err := t.settle(alive, prefill); err != nil {
		return nil, err
	}
	if t.receiver, err = e.kafka.receive(t.topics.similar); err != nil {
		return nil, err
	}
	if err := t.receiver.await(alive, prefill); err != nil {
		return nil, err
	}
	before, err := t.instance.Metrics(alive)
	if err != nil {
		return nil, err
	}
	if err := sleep(alive, e.opt.pause); err != nil {
		return nil, err
	}
	begun := time.Now()
	due, err := e.send(alive, t.topics.artifacts, e.feed[prefill:])
	if err != nil {
		return nil, err
	}
	if err := t.receiver.await(alive, n); err != nil {
		return nil, err
	}
	after, err := t.instance.Metrics(alive)
	if err != nil {
		return nil, err
	}
	r := &ourRun{Artifacts: n}
	r.work(before, after, e.opt.measured)
	if r.latency, err = t.latencies(e.feed[prefill:], due); err != nil {
		return nil, err
	}
	if r.Slowest, err = t.instance.Slowest(alive, begun); err != nil {
		return nil, err
	}
	if _, err := t.settle(alive, n); err != nil {
		return nil, err
	}
	return r, t.finish(ctx, r, n)
}

func (t *trial) latencies(records []feedfile.Record, due []time.Time) (*latency, error) {
	ms := make([]float64, len(records))
	for i, r := range records {
		at, ok := t.receiver.arrived(r.ID)
		if !ok {
			return nil, fmt.Errorf("artifact %q has no update", r.ID)
		}
		ms[i] = at.Sub(due[i]).Seconds() * 1e3
	}
	return &latency{
		P50: stats.Median(ms), P99: stats.Quantile(ms, 0.99), Max: stats.Quantile(ms, 1),
		LateHalfP50: stats.Median(ms[len(ms)/2:]),
	}, nil
}

// send produces artifacts at the configured rate, each at its time however late those
// before are, and returns when each was due.
func (e *experiment) send(ctx context.Context, topic string, records []feedfile.Record) ([]time.Time, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(e.kafka.addr), kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0))
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
		due[i] = start.Add(time.Duration(float64(i) / e.opt.rate * float64(time.Second)))
		if err := sleep(ctx, time.Until(due[i])); err != nil {
			return nil, err
		}
		client.Produce(ctx, &kgo.Record{Key: []byte(r.ID), Value: r.Line}, func(_ *kgo.Record, err error) {
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
		return context.Cause(ctx)
	}
}
