package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// receiver is a consumer of a topic of updates, in nobody's pay: it notes when each
// artifact's own update came, the one that names the artifact as its cause.
type receiver struct {
	client *kgo.Client
	stop   context.CancelFunc
	ended  sync.WaitGroup
	news   chan struct{}

	mu      sync.Mutex
	own     map[string]time.Time
	updates int
	err     error
}

// receive reads the topic from its start. It waits for messages as the peer's does.
func (c *cluster) receive(topic string) (*receiver, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.addr), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("receiver: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &receiver{client: client, stop: stop, news: make(chan struct{}, 1), own: map[string]time.Time{}}
	r.ended.Go(func() { r.run(ctx) })
	return r, nil
}

func (r *receiver) close() {
	r.stop()
	r.ended.Wait()
	r.client.Close()
}

func (r *receiver) run(ctx context.Context) {
	for ctx.Err() == nil {
		fetches := r.client.PollFetches(ctx)
		now := time.Now()
		r.mu.Lock()
		if err := fetches.Err0(); err != nil && ctx.Err() == nil {
			r.err = fmt.Errorf("receiver: %w", err)
		}
		fetches.EachRecord(func(m *kgo.Record) {
			if err := r.take(m, now); err != nil && r.err == nil {
				r.err = err
			}
		})
		r.mu.Unlock()
		select {
		case r.news <- struct{}{}:
		default:
		}
	}
}

func (r *receiver) take(m *kgo.Record, now time.Time) error {
	r.updates++
	id := string(m.Key)
	if _, ok := r.own[id]; ok || m.Value == nil {
		return nil // decoding every update would take a share of the machine that is measured
	}
	var update struct {
		ID    string
		Cause []string
	}
	if err := json.Unmarshal(m.Value, &update); err != nil {
		return fmt.Errorf("update of %q at offset %d: %w", id, m.Offset, err)
	}
	if update.ID != id {
		return fmt.Errorf("update at offset %d: key %q, id %q", m.Offset, id, update.ID)
	}
	if slices.Contains(update.Cause, id) {
		r.own[id] = now
	}
	return nil
}

// await waits until n artifacts have their own update.
func (r *receiver) await(ctx context.Context, n int) error {
	for {
		r.mu.Lock()
		have, err := len(r.own), r.err
		r.mu.Unlock()
		if err != nil {
			return err
		}
		if have >= n {
			return nil
		}
		select {
		case <-r.news:
		case <-ctx.Done():
			return fmt.Errorf("receiver: %d of %d artifacts have their own update: %w", have, n, context.Cause(ctx))
		}
	}
}

// arrived is when an artifact's own update came.
func (r *receiver) arrived(id string) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.own[id]
	return t, ok
}

func (r *receiver) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.updates
}
