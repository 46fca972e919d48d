package consumer

import (
	"log/slog"
	"sync"
	"time"
)

// committer commits to the group, now and then, the offsets that the Sink has applied.
// Only dashboards of the group's lag depend on these commits (reading goes on from
// Sink.StoredOffset), so a failure is only logged and no Apply waits for one.
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

// start sends on its own goroutine until the returned function is called. That
// one sends what is left, but does not wait long for a broker that may be gone.
func (c *committer) start() (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		c.run(quit)
		c.flush()
	}()
	return func() {
		close(quit)
		await(ended, leaveWait)
	}
}

func (c *committer) run(quit <-chan struct{}) {
	for {
		select {
		case <-quit:
			return
		case <-c.wake:
			c.flush()
		}
		pause := time.NewTimer(c.every)
		select {
		case <-quit:
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// leaveWait bounds the last commit and the leaving of the group: a broker that hears of
// neither has the group wait for SessionTimeout, and nothing is lost.
const leaveWait = 3 * time.Second

// await waits for done, but not for longer than d.
func await(done <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	}
}

// flush sends what has not been sent.
func (c *committer) flush() {
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
