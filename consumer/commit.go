package consumer

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// committer tells the group how far the Sink is, now and then. Nothing depends
// on it but dashboards that show the group's lag, so a failure is only logged
// and no Apply waits for it.
type committer struct {
	send  func(map[string]map[int]int64) error
	every time.Duration
	log   *slog.Logger
	wake  chan struct{}

	mu   sync.Mutex
	news map[string]map[int]int64 // not sent yet
}

func newCommitter(send func(map[string]map[int]int64) error, every time.Duration, log *slog.Logger) *committer {
	return &committer{send: send, every: every, log: log, wake: make(chan struct{}, 1)}
}

func (c *committer) note(offsets []Offset) {
	c.mu.Lock()
	if c.news == nil {
		c.news = make(map[string]map[int]int64)
	}
	for _, o := range offsets {
		if c.news[o.Topic] == nil {
			c.news[o.Topic] = make(map[int]int64)
		}
		c.news[o.Topic][o.Partition] = o.Next
	}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *committer) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
			c.last()
		}
		pause := time.NewTimer(c.every)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// last sends what has not been sent.
func (c *committer) last() {
	c.mu.Lock()
	news := c.news
	c.news = nil
	c.mu.Unlock()
	if len(news) == 0 {
		return
	}
	if err := c.send(news); err != nil {
		c.log.Debug("offsets not committed to the group; the state has its own", "error", err)
	}
}
