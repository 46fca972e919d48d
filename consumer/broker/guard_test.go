package broker

import (
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// impatient is for tests in which a client is to be given up.
var impatient = patience{first: 200 * time.Millisecond, idle: time.Minute, frame: 200 * time.Millisecond}

// send opens a connection, sends raw and waits until the broker ends it.
func send(t *testing.T, addr string, raw []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	check(t, err)
	defer conn.Close()
	check(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, _ = conn.Write(raw) // the broker may have closed already
	if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
		t.Fatalf("%.40q: the connection stays open", raw)
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// alive produces and fetches by kafka-go.
func alive(t *testing.T, addr string, value string) {
	t.Helper()
	_, err := produce(t.Context(), client(t, addr), "t", record("k", value))
	check(t, err)
	all := readAll(t, addr, "t")
	if len(all) == 0 || all[len(all)-1].value != value {
		t.Fatalf("the last of %d records is not %q", len(all), value)
	}
}

// TestHostileConnections: whatever comes in over a connection, the broker goes on for others, and takes no memory to speak of.
func TestHostileConnections(t *testing.T) { // not parallel: it measures the heap
	b := open(t, t.TempDir())
	createTopic(t, client(t, b.Addr()), "t")
	before := heap()
	for name, raw := range hostile() {
		conn, err := net.Dial("tcp", b.Addr())
		check(t, err)
		for range 2 { // what would follow the frame, or fill its buffer
			_, _ = conn.Write(raw) // the broker may have closed already
		}
		check(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
		if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
			t.Errorf("%s: was answered, or waits: %v", name, err)
		}
		check(t, conn.Close())
		alive(t, b.Addr(), name)
	}
	if grown := int64(heap()) - int64(before); grown > 64<<20 {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
}

// TestMutatedRequests sends seeded mutations of every request that is served.
func TestMutatedRequests(t *testing.T) {
	t.Parallel()
	b := open(t, t.TempDir())
	createTopic(t, client(t, b.Addr()), "t")
	rng := rand.New(rand.NewPCG(18, 6))
	requests := good()
	for range 1500 {
		conn, err := net.Dial("tcp", b.Addr())
		check(t, err)
		_, _ = conn.Write(mutate(rng, ask(requests[rng.IntN(len(requests))])))
		_ = conn.(*net.TCPConn).CloseWrite() // the broker may have closed already
		check(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
		_, _ = io.Copy(io.Discard, conn) // an answer or none
		check(t, conn.Close())
	}
	check(t, topicThere(t, b.Addr()))
	alive(t, b.Addr(), "after all")
}

// topicThere makes the topic again where a mutated DeleteTopics hit it.
func topicThere(t *testing.T, addr string) error {
	res, err := client(t, addr).CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: "t", NumPartitions: 1, ReplicationFactor: 1}}})
	if err != nil {
		return err
	}
	if err := res.Errors["t"]; !errors.Is(err, kafka.TopicAlreadyExists) {
		return err
	}
	return nil
}

// TestLargeFramesAtOnce: many connections that each claim and send the largest request get their turns within the bound, not all
// at once.
func TestLargeFramesAtOnce(t *testing.T) { // not parallel: it measures the heap
	b := open(t, t.TempDir())
	createTopic(t, client(t, b.Addr()), "t")
	huge := ask(produceOf(1, make([]byte, maxProduceBytes-64))) // a batch that can't be read
	before, highest := heap(), uint64(0)
	done := make(chan struct{})
	var sending sync.WaitGroup
	for range 12 {
		sending.Go(func() { send(t, b.Addr(), huge) })
	}
	go func() { sending.Wait(); close(done) }()
	for waiting := true; waiting; {
		select {
		case <-done:
			waiting = false
		case <-time.After(20 * time.Millisecond):
			highest = max(highest, heap())
		}
	}
	if grown := int64(highest) - int64(before); grown > inFlightBytes+64<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	alive(t, b.Addr(), "after")
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// accepting serves connections of a guard by reading them to their end, as kfake would.
func accepting(t *testing.T, wait patience, log *slog.Logger) (addr string, g *guard) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	g = newGuard(ln, wait, log)
	t.Cleanup(func() { g.Close() })
	go func() {
		for {
			conn, err := g.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(io.Discard, conn)
				conn.Close()
			}()
		}
	}()
	return ln.Addr().String(), g
}

// free fails unless all memory comes back.
func free(t *testing.T, g *guard) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		if g.open.Load() == 0 && g.memory.TryAcquire(inFlightBytes) {
			g.memory.Release(inFlightBytes)
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are open, or memory is held", g.open.Load())
		}
		time.Sleep(time.Millisecond)
	}
}

// TestClientsThatStop: a client that says nothing, half a head or half a request is given up, and all that it held is free.
func TestClientsThatStop(t *testing.T) {
	t.Parallel()
	addr, g := accepting(t, impatient, slog.New(slog.DiscardHandler))
	whole := ask(produceOf(1, batchOf(1, strings.Repeat("x", 1000))))
	for _, raw := range [][]byte{nil, whole[:1], whole[:6], whole[:8], whole[:100]} {
		send(t, addr, raw)
	}
	free(t, g)
}

// TestUnansweredRequestsFreeTheirMemory: a producer that wants no answers, or gets none, does not use up what there is.
func TestUnansweredRequestsFreeTheirMemory(t *testing.T) {
	t.Parallel()
	addr, g := accepting(t, usualPatience, slog.New(slog.DiscardHandler))
	conn, err := net.Dial("tcp", addr)
	check(t, err)
	check(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	request := ask(produceOf(0, batchOf(1, strings.Repeat("x", 8<<20))))
	for range 2 * inFlightBytes / (produceFactor * len(request)) {
		_, err := conn.Write(request)
		check(t, err)
	}
	check(t, conn.Close())
	free(t, g)
}

// TestTooManyConnections: the connection over the bound is closed, and those before it live.
func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	addr, g := accepting(t, usualPatience, slog.New(slog.NewTextHandler(&log, nil)))
	var conns []net.Conn
	for range maxConnections {
		conn, err := net.Dial("tcp", addr)
		check(t, err)
		conns = append(conns, conn)
	}
	for range 3 {
		send(t, addr, nil)
	}
	for _, conn := range conns {
		check(t, conn.SetReadDeadline(time.Now()))
		if _, err := conn.Read(make([]byte, 1)); !isTimeout(err) {
			t.Fatalf("a connection within the bound ended: %v", err)
		}
		check(t, conn.Close())
	}
	free(t, g)
	if n := strings.Count(log.String(), "closed a connection"); n != 1 {
		t.Errorf("%d lines for three refusals within a moment:\n%s", n, &log)
	}
}
