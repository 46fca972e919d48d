package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

const (
	// maxConnections are served at once; one more is closed at once. A kilim has some ten.
	maxConnections = 256
	// inFlightBytes bounds the memory of the requests of all connections together, by the cost that frameCheck gives. A request waits for its share
	// before it is read.
	inFlightBytes = 256 << 20
)

// patience is how long a guard waits for a client.
type patience struct {
	first time.Duration // for the head of a connection's first request
	idle  time.Duration // for that of a later one, as Kafka's connections.max.idle.ms
	frame time.Duration // for the rest of a request, its share of the memory included, and for a client to take an answer
}

var usualPatience = patience{first: 10 * time.Second, idle: 10 * time.Minute, frame: 30 * time.Second}

// guard is the listener that kfake gets: a connection from it gives kfake whole requests that frameCheck lets through, or ends.
type guard struct {
	net.Listener
	check  *frameCheck
	memory *semaphore.Weighted
	wait   patience
	log    *slog.Logger
	seldom *rate.Limiter
	untold atomic.Int64 // refusals that seldom kept out of the log
	open   atomic.Int64
}

func newGuard(ln net.Listener, wait patience, log *slog.Logger) *guard {
	return &guard{
		Listener: ln, check: newFrameCheck(), memory: semaphore.NewWeighted(inFlightBytes), wait: wait,
		log: log, seldom: rate.NewLimiter(rate.Every(10*time.Second), 1),
	}
}

// Accept returns the next connection for which there is room.
func (g *guard) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if g.open.Add(1) <= maxConnections {
			return newGuarded(conn, g), nil
		}
		g.open.Add(-1)
		g.refused(conn, fmt.Errorf("%d connections are open, which is the most", maxConnections))
		if err := conn.Close(); err != nil {
			g.log.Debug("closing a connection", "error", err)
		}
	}
}

// refused tells of a connection that is closed, at most every ten seconds: who sends rubbish must not fill the log.
func (g *guard) refused(conn net.Conn, reason error) {
	if !g.seldom.Allow() {
		g.untold.Add(1)
		return
	}
	g.log.Warn("closed a connection to the embedded broker", "client", conn.RemoteAddr(), "reason", reason, "others", g.untold.Swap(0))
}

// guarded is a connection. kfake reads it in one goroutine and writes each answer in one Write in another.
type guarded struct {
	net.Conn
	g       *guard
	ctx     context.Context // ends when the connection is closed
	cancel  context.CancelFunc
	pending []byte // of the request that kfake is reading
	begun   bool   // whether a request has come

	mu     sync.Mutex
	held   []request // not answered yet, in their order
	closed bool
}

// request is what a guarded remembers of a request.
type request struct {
	cost       int64 // bytes of memory that it may take
	unanswered bool  // a Produce with acks=0, of which kfake tells nothing
}

func newGuarded(conn net.Conn, g *guard) *guarded {
	c := &guarded{Conn: conn, g: g}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Read gives kfake bytes of whole requests that were checked.
func (c *guarded) Read(p []byte) (int, error) {
	if len(c.pending) == 0 {
		c.pending = nil
		if err := c.next(); err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && c.ctx.Err() == nil {
				c.g.refused(c.Conn, err)
			}
			return 0, err
		}
	}
	n := copy(p, c.pending)
	c.pending = c.pending[n:]
	return n, nil
}

// next reads the next request into pending.
func (c *guarded) next() error {
	c.letGo(func(r request) bool { return r.unanswered })
	wait := c.g.wait.first
	if c.begun {
		wait = c.g.wait.idle
	}
	if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	var head [8]byte
	if _, err := io.ReadFull(c.Conn, head[:1]); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return io.EOF // an idle client; nothing to tell
		}
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.g.wait.frame)
	defer cancel()
	if err := c.SetReadDeadline(time.Now().Add(c.g.wait.frame)); err != nil {
		return err
	}
	if _, err := io.ReadFull(c.Conn, head[1:]); err != nil {
		return unfinished(err)
	}
	size, cost, err := c.g.check.head(head)
	if err != nil {
		return err
	}
	if err := c.g.memory.Acquire(ctx, cost); err != nil {
		return fmt.Errorf("no memory became free for a request of %d bytes: %w", size, err)
	}
	if !c.hold(cost) {
		return net.ErrClosed
	}
	raw := make([]byte, 4+size)
	copy(raw, head[:])
	if _, err := io.ReadFull(c.Conn, raw[len(head):]); err != nil {
		return unfinished(err)
	}
	unanswered, err := c.g.check.body(raw)
	if err != nil {
		return err
	}
	if unanswered {
		c.unanswered()
	}
	c.pending, c.begun = raw, true
	return nil
}

func unfinished(err error) error {
	return fmt.Errorf("a request ended too early: %w", err)
}

// Write sends an answer. By then kfake is done with the oldest request that gets one.
func (c *guarded) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.g.wait.frame)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	first := true
	c.letGo(func(r request) bool {
		is := first && !r.unanswered
		first = first && !is
		return is
	})
	return n, err
}

// hold counts the newest request. It is false when the connection has been closed meanwhile, and nothing more would free it.
func (c *guarded) hold(cost int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		c.g.memory.Release(cost)
		return false
	}
	c.held = append(c.held, request{cost: cost})
	return true
}

// unanswered marks the newest request.
func (c *guarded) unanswered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.held); n > 0 {
		c.held[n-1].unanswered = true
	}
}

// letGo frees the memory of the requests that are done. One without an answer is done when kfake asks for the next, since it takes
// the requests of a connection one by one.
func (c *guarded) letGo(done func(request) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = slices.DeleteFunc(c.held, func(r request) bool {
		if !done(r) {
			return false
		}
		c.g.memory.Release(r.cost)
		return true
	})
}

// Close ends the connection and frees what it holds. kfake calls it once from each of its goroutines.
func (c *guarded) Close() error {
	c.cancel()
	c.letGo(func(request) bool { return true })
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		c.g.open.Add(-1)
	}
	c.mu.Unlock()
	return c.Conn.Close()
}
