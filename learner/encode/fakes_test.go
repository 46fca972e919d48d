package encode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/graphstore"
	"kilim/learner/encode/feature"
)

// memory is a State without a store: media by node, each with what it is asked about.
type memory struct {
	t *testing.T

	mu      sync.Mutex
	queue   *Queue
	rev     uint64
	asked   map[graphstore.NodeID]question
	done    map[graphstore.NodeID]Answer
	vectors map[graphstore.Content][]float32
	lost    map[graphstore.Content]int // vectors that came when nobody asked any more
	busy    time.Duration              // of an answer
	commits []int                      // the number of answers in each call of Answer
	// damaged are the nodes whose artifacts can't be read.
	damaged map[graphstore.NodeID]bool
}

type question struct {
	Task
	Source
}

func newMemory(t *testing.T) *memory {
	return &memory{t: t, queue: NewQueue("image", "audio"), asked: map[graphstore.NodeID]question{}, done: map[graphstore.NodeID]Answer{}, vectors: map[graphstore.Content][]float32{}, lost: map[graphstore.Content]int{}}
}

// put asks about a medium of a node, in place of what was asked before.
func (m *memory) put(node int, kind, uri, data string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rev++
	t := Task{Node: graphstore.NodeID(node), Kind: kind, Revision: m.rev, Since: time.Now()}
	m.asked[t.Node] = question{t, Source{URI: uri, Item: feature.Item{Kind: kind, Data: []byte(data)}}}
	delete(m.done, t.Node)
	m.queue.Put(t)
}

// remove ends what is asked about a node.
func (m *memory) remove(node int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.asked, graphstore.NodeID(node))
	m.queue.Drop(graphstore.NodeID(node))
}

func (m *memory) Source(t Task) (Source, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.damaged[t.Node] {
		return Source{}, fmt.Errorf("read: %w", &graphstore.DamagedError{Artifact: "x", Err: errors.New("flipped")})
	}
	q, ok := m.asked[t.Node]
	if !ok || q.Revision != t.Revision {
		return Source{}, ErrOutdated
	}
	return q.Source, nil
}

func (m *memory) Vector(c graphstore.Content, _ string) ([]float32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.vectors[c], nil
}

func (m *memory) Answer(ctx context.Context, answers []Answer) error {
	if m.busy > 0 {
		waitFor(ctx, m.busy, nil)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commits = append(m.commits, len(answers))
	for _, a := range answers {
		if m.asked[a.Node].Revision != a.Revision {
			m.lost[a.Content]++
			continue
		}
		if _, again := m.done[a.Node]; again {
			m.t.Errorf("node %d is answered twice", a.Node)
		}
		m.done[a.Node] = a
		if a.Vector != nil {
			m.vectors[a.Content] = a.Vector
		}
	}
	for _, a := range answers {
		m.queue.Answered(a.Task)
	}
	return nil
}

func (m *memory) answers() map[graphstore.NodeID]Answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[graphstore.NodeID]Answer{}
	for k, v := range m.done {
		out[k] = v
	}
	return out
}

// scripted is an encoder of one number, the length of the data. How it fares is told by the data and by down.
type scripted struct {
	mu     sync.Mutex
	down   bool
	took   time.Duration
	calls  int
	asked  map[string]int
	active int
	most   int
}

func (s *scripted) Identity() feature.Identity {
	return feature.Identity{Name: "scripted", Version: 1, Dim: 1}
}

func (s *scripted) Encode(ctx context.Context, items []feature.Item) []feature.Result {
	s.mu.Lock()
	s.calls++
	s.active++
	s.most = max(s.most, s.active)
	took, down := s.took, s.down
	s.mu.Unlock()
	waitFor(ctx, took, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	out := make([]feature.Result, len(items))
	for _, it := range items {
		if strings.HasPrefix(string(it.Data), "poison") {
			down = true // and all that are asked about with it
		}
	}
	for i, it := range items {
		switch data := string(it.Data); {
		case down:
			out[i].Err = errors.New("connection refused")
		case strings.HasPrefix(data, "bad"):
			out[i].Err = feature.Refuse(feature.ReasonCorrupt, "it says so")
		case strings.HasPrefix(data, "short"):
			out[i].Vector = []float32{1, 2}
		default:
			s.asked[data]++
			out[i].Vector = []float32{float32(len(data))}
		}
	}
	return out
}

func (s *scripted) set(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// guarded is an encoder behind a circuit breaker: until a call has gone well, one at a time is let through.
type guarded struct {
	*scripted
	mu             sync.Mutex
	closed, trying bool
}

func (g *guarded) Encode(ctx context.Context, items []feature.Item) []feature.Result {
	g.mu.Lock()
	pass := g.closed || !g.trying
	g.trying = g.trying || pass
	g.mu.Unlock()
	if !pass {
		out := make([]feature.Result, len(items))
		for i := range out {
			out[i].Err = errors.New("left alone for a while")
		}
		return out
	}
	out := g.scripted.Encode(ctx, items)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trying, g.closed = false, out[0].Err == nil
	return out
}

// files is a fetcher. What is not there may come; "never" is refused.
type files struct {
	mu   sync.Mutex
	by   map[string]string
	took time.Duration
	n    int
	// away are the hosts that do not answer, each with how often it was tried.
	away map[string]int
}

func (f *files) Fetch(ctx context.Context, _, uri string) ([]byte, error) {
	waitFor(ctx, f.took, nil)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if host := hostOf(uri); host != "" {
		if n, ok := f.away[host]; ok {
			f.away[host] = n + 1
			return nil, fmt.Errorf("asked for it: %w", &feature.Unreachable{Err: errors.New("connection refused")})
		}
	}
	if strings.HasPrefix(uri, "never") {
		return nil, fmt.Errorf("asked for it: %w", feature.Refuse(feature.ReasonNotAllowed, "%s", uri))
	}
	data, ok := f.by[uri]
	if !ok {
		return nil, errors.New("no route to host")
	}
	return []byte(data), nil
}

// slowAddress is files with an address that never answers.
type slowAddress struct{ *files }

func (f *slowAddress) Fetch(ctx context.Context, kind, uri string) ([]byte, error) {
	if strings.HasSuffix(uri, "/never-answers") {
		return nil, &feature.Unreachable{Err: errors.New("connection reset")}
	}
	return f.files.Fetch(ctx, kind, uri)
}

func (f *files) put(uri, data string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.by[uri] = data
}

// works runs a worker in a bubble of time until the test ends.
func works(t *testing.T, m *memory, f Fetcher, lanes ...Lane) (stop func()) {
	t.Helper()
	w, err := NewWorker(Config{Lanes: lanes, ItemBytes: 100, InFlightBytes: 250, Retry: DefaultRetry()},
		m.queue, m, f, NewMetrics(prometheus.NewRegistry(), m.queue.Kinds()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
