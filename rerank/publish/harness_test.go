package publish

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kilim/rerank"
)

const (
	similar = "kilim.similar"
	dead    = "kilim.artifacts.dlq"
	uuid    = "00000000-0000-4000-8000-000000000001"
)

var errInjected = errors.New("injected")

// memory is a dull store.
type memory struct {
	lock      sync.Mutex
	writer    string
	entries   []Entry
	seq       uint64
	positions map[topicPartition]int64
	// beforeAck decides about every Ack that removes entries; an error is a crash.
	beforeAck func(upto uint64) error
	// before are copies of what was before each Ack since the last put: none of these is durable.
	before []*memory
	empty  chan struct{} // signalled when the outbox becomes empty
}

func newMemory() *memory {
	return &memory{writer: uuid, positions: map[topicPartition]int64{}, empty: make(chan struct{}, 1)}
}

func (m *memory) Writer() (string, error) { return m.writer, nil }

func (m *memory) Next() uint64 {
	m.lock.Lock()
	defer m.lock.Unlock()
	return m.seq + 1
}

// copied is what a copy of the store's folder holds.
func (m *memory) copied() *memory {
	c := newMemory()
	c.writer, c.seq, c.entries, c.positions = m.writer, m.seq, slices.Clone(m.entries), maps.Clone(m.positions)
	return c
}

func (m *memory) put(values ...[]byte) {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.before = nil
	for _, v := range values {
		m.seq++
		m.entries = append(m.entries, Entry{Seq: m.seq, Value: v})
	}
}

func (m *memory) Outbox(after uint64, limit int) ([]Entry, error) {
	m.lock.Lock()
	defer m.lock.Unlock()
	var out []Entry
	for _, e := range m.entries {
		if e.Seq > after && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, nil
}

func (m *memory) Ack(upto uint64, positions []Position) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	removes := len(m.entries) > 0 && upto >= m.entries[0].Seq
	if removes && m.beforeAck != nil {
		if err := m.beforeAck(upto); err != nil {
			return err
		}
	}
	m.before = append(m.before, m.copied())
	m.entries = slices.DeleteFunc(m.entries, func(e Entry) bool { return e.Seq <= upto })
	for _, p := range positions {
		m.positions[topicPartition{p.Topic, p.Partition}] = p.Next
	}
	if removes && len(m.entries) == 0 {
		select {
		case m.empty <- struct{}{}:
		default:
		}
	}
	return nil
}

// crash takes up to n of the last acknowledgements back that are not durable.
func (m *memory) crash(n int) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if n = min(n, len(m.before)); n > 0 {
		was := m.before[len(m.before)-n]
		m.entries, m.positions, m.before = was.entries, was.positions, nil
		select {
		case <-m.empty: // what it says is no longer so
		default:
		}
	}
}

func (m *memory) Positions() ([]Position, error) {
	m.lock.Lock()
	defer m.lock.Unlock()
	var out []Position
	for at, next := range m.positions {
		out = append(out, Position{at.topic, at.partition, next})
	}
	return out, nil
}

func (m *memory) waiting() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return len(m.entries)
}

// action is what becomes of a request that produces or ends a transaction.
type action int

const (
	pass     action = iota
	lose            // the connection breaks before the request leaves
	deafen          // the broker carries it out, the answer is lost
	withhold        // the request hangs in the network until release
)

// faults sits between the publisher and the broker.
type faults struct {
	lock sync.Mutex
	// next decides about the n-th of these requests, from 1; nil lets all pass.
	next func(n int) action
	// before is called, if set, before the n-th is decided about.
	before   func(n int)
	n        int
	held     []func()
	released int
}

func (f *faults) decide() action {
	f.lock.Lock()
	f.n++
	n := f.n
	f.lock.Unlock()
	if f.before != nil {
		f.before(n)
	}
	if f.next == nil {
		return pass
	}
	f.lock.Lock()
	defer f.lock.Unlock()
	return f.next(n)
}

// release lets withheld requests reach the broker, and returns once it has answered them.
func (f *faults) release() {
	f.lock.Lock()
	held := f.held
	f.held = nil
	f.released += len(held)
	f.lock.Unlock()
	for _, send := range held {
		send()
	}
}

func (f *faults) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &faultyConn{Conn: c, f: f}, nil
}

// faultyConn collects what is written into requests, and applies the action to those that produce or end a transaction.
type faultyConn struct {
	net.Conn
	f    *faults
	buf  []byte
	deaf bool
	held bool
}

func (c *faultyConn) Write(b []byte) (int, error) {
	c.buf = append(c.buf, b...)
	for len(c.buf) >= 6 {
		size := 4 + int(binary.BigEndian.Uint32(c.buf))
		if len(c.buf) < size {
			break
		}
		frame := slices.Clone(c.buf[:size])
		c.buf = c.buf[size:]
		act := pass
		if key := binary.BigEndian.Uint16(frame[4:]); key == 0 || key == 26 { // Produce, EndTxn
			act = c.f.decide()
		}
		switch act {
		case lose:
			c.Conn.Close()
			return 0, errInjected
		case withhold:
			c.held = true
			c.f.lock.Lock()
			c.f.held = append(c.f.held, func() {
				defer c.Conn.Close()
				c.Conn.SetDeadline(time.Now().Add(10 * time.Second))
				if _, err := c.Conn.Write(frame); err == nil {
					c.Conn.Read(make([]byte, 4))
				}
			})
			c.f.lock.Unlock()
			continue
		case deafen:
			c.deaf = true
		}
		if _, err := c.Conn.Write(frame); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func (c *faultyConn) Read(b []byte) (int, error) {
	if c.held {
		return 0, errInjected // at once: no test waits for a timeout
	}
	n, err := c.Conn.Read(b)
	if c.deaf {
		c.Conn.Close()
		return 0, errInjected
	}
	return n, err
}

func (c *faultyConn) Close() error {
	if c.held {
		return nil // release closes it
	}
	return c.Conn.Close()
}

// cluster is a broker with the output topics.
type cluster struct {
	*kfake.Cluster // nil: a real one
	addr           string
	similar, dead  string
}

func newCluster(t *testing.T, partitions int, opts ...kfake.Opt) *cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(int32(partitions), similar, dead, similar+".motif", "cultures-"+similar, "queries-"+similar)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &cluster{c, c.ListenAddrs()[0], similar, dead}
}

func (c *cluster) config(t *testing.T, store Store, f *faults) Config {
	transport := &kafka.Transport{Dial: f.dial}
	t.Cleanup(transport.CloseIdleConnections)
	return Config{
		Addr: kafka.TCP(c.addr), Transport: transport, Store: store,
		Topics: Topics{Similar: c.similar, Cultures: c.cultures(), Queries: c.queries(), DeadLetters: c.dead},
		Batch:  50, Settle: time.Millisecond, MinBackoff: time.Millisecond, MaxBackoff: 4 * time.Millisecond,
	}
}

// attempt runs a publisher until the outbox is empty, and then stops it, or until it
// ends by itself with an error.
func attempt(t *testing.T, cfg Config, m *memory) error {
	t.Helper()
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	select {
	case err := <-done:
		return err
	case <-m.empty:
	case <-time.After(5 * time.Minute):
		t.Errorf("the outbox still has %d entries after 20 s", m.waiting())
	}
	cancel()
	return <-done
}

// run sets a publisher to work, and returns how to stop it.
func run(t *testing.T, p *Publisher) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// recreate deletes a topic and makes it again with as many partitions.
func (c *cluster) recreate(t *testing.T, topic string) {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(c.addr), Transport: &kafka.Transport{}, Timeout: 20 * time.Second}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	was, err := client.Metadata(t.Context(), &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil || len(was.Topics) != 1 {
		t.Fatal(was, err)
	}
	gone, err := client.DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err := cmp.Or(err, gone.Errors[topic]); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Minute)
	for { // a cluster deletes a while later
		made, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
			{Topic: topic, NumPartitions: len(was.Topics[0].Partitions), ReplicationFactor: 1}}})
		if err == nil {
			err = made.Errors[topic]
		}
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	for len(c.read(t, topic)) > 0 { // the log of before is served on for a moment
		if time.Now().After(deadline) {
			t.Fatalf("topic %q was made again, and has messages still", topic)
		}
	}
}

// deliver is an attempt that must succeed.
func deliver(t *testing.T, cfg Config, m *memory) {
	t.Helper()
	if err := attempt(t, cfg, m); err != nil {
		t.Fatal(err)
	}
}

// read returns everything in a topic that is not of an aborted transaction, by another client than the publisher's.
func (c *cluster) read(t *testing.T, topic string) []*kgo.Record {
	t.Helper()
	for {
		all, err := c.tryToRead(t, topic)
		switch {
		case err == nil:
			return all
		case !errors.Is(err, kerr.UnknownTopicID): // which a client is told that began before the topic was made anew
			t.Fatal(err)
		}
	}
}

func (c *cluster) tryToRead(t *testing.T, topic string) ([]*kgo.Record, error) {
	t.Helper()
	ends := map[int32]int64{}
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.addr), kgo.ConsumeTopics(topic), kgo.FetchMaxWait(50*time.Millisecond),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	client := &kafka.Client{Addr: kafka.TCP(c.addr), Transport: &kafka.Transport{}}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	left := 0
	for i := range int32(32) {
		res, err := client.ListOffsets(t.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
			topic: {kafka.FirstOffsetOf(int(i)), kafka.LastOffsetOf(int(i))}}})
		if err != nil {
			break
		}
		if o := res.Topics[topic][0]; o.Error == nil && o.LastOffset > o.FirstOffset {
			ends[i] = o.LastOffset
			left++
		}
	}
	var out []*kgo.Record
	for left > 0 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		f := cl.PollFetches(ctx)
		cancel()
		if err := f.Err(); err != nil {
			return nil, err
		}
		f.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				out = append(out, r)
			}
			if r.Offset == ends[r.Partition]-1 {
				left--
			}
		})
	}
	return out, nil
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

func seqOf(t *testing.T, r *kgo.Record) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(header(r, HeaderSeq), 10, 64)
	if err != nil {
		t.Fatalf("record %s/%d@%d: %s: %v", r.Topic, r.Partition, r.Offset, HeaderSeq, err)
	}
	return n
}

func update(id string, revision uint64) []byte {
	return rerank.EncodeUpdate(&rerank.Update{ID: id, Revision: revision, Lists: both([]rerank.Entry{{ID: "other", Score: 0.5}}, nil)})
}

// motif is the topic of a theme.
func (c *cluster) motif() string { return c.similar + ".motif" }

// cultures is the topic of cells.
func (c *cluster) cultures() string { return "cultures-" + c.similar }

func (c *cluster) queries() string { return "queries-" + c.similar }

// topics are all that are written to.
func (c *cluster) topics() []string {
	return []string{c.similar, c.motif(), c.cultures(), c.queries(), c.dead}
}

// mixed makes n entries: updates of a few artifacts, tombstones, both also of a theme, of cells and of standing queries, and dead letters.
func (c *cluster) mixed(n int) [][]byte {
	var out [][]byte
	for i := range n {
		id := fmt.Sprintf("a%d", i%17)
		switch {
		case i%13 == 5:
			out = append(out, rerank.EncodeTombstone(id, uint64(i), time.UnixMilli(int64(i))))
		case i%11 == 3:
			out = append(out, rerank.EncodeMessage(c.dead, []byte(id), []byte("{"), nil))
		case i%11 == 7:
			out = append(out, rerank.EncodeMessage(c.dead, nil, []byte("x"), nil))
		case i%11 == 5:
			out = append(out, rerank.EncodeThemed(&rerank.OutMessage{Topic: c.motif(), ID: id, Revision: uint64(i), Value: []byte(`{"lists":{}}`)}))
		case i%11 == 9:
			out = append(out, rerank.EncodeThemed(&rerank.OutMessage{Topic: c.motif(), ID: id, Revision: uint64(i), Recorded: time.UnixMilli(int64(i))}))
		case i%22 == 12:
			out = append(out, rerank.EncodeQuery(&rerank.Update{ID: id, Revision: uint64(i)}))
		case i%22 == 13:
			out = append(out, rerank.EncodeQueryGone(id, uint64(i)))
		case i%11 == 1:
			out = append(out, rerank.EncodeCell("culture|"+id+"|b", uint64(i), []byte("{}")))
		case i%11 == 2:
			out = append(out, rerank.EncodeCell("culture|"+id+"|b", uint64(i), nil))
		default:
			out = append(out, update(id, uint64(i)))
		}
	}
	return out
}

// exactlyOnce fails unless the topics have each message of 1..n once, those of a key in order.
func (c *cluster) exactlyOnce(t *testing.T, n int) {
	t.Helper()
	times := map[uint64]int{}
	for _, topic := range c.topics() {
		last := map[string]uint64{}
		for _, r := range c.read(t, topic) {
			seq := seqOf(t, r)
			times[seq]++
			if r.Key == nil {
				continue
			}
			if seq <= last[string(r.Key)] {
				t.Errorf("%s/%d@%d: key %s: message %d after %d", topic, r.Partition, r.Offset, r.Key, seq, last[string(r.Key)])
			}
			last[string(r.Key)] = seq
		}
	}
	for seq := uint64(1); seq <= uint64(n); seq++ {
		if times[seq] != 1 {
			t.Errorf("message %d is there %d times", seq, times[seq])
		}
	}
	if len(times) != n {
		t.Errorf("%d different messages, want %d", len(times), n)
	}
}
