package encode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/graphstore"
	"kilim/learner/feature"
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

func (m *memory) Source(t Task) (Source, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
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
		waitFor(ctx, m.busy)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
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
	waitFor(ctx, took)
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

// files is a fetcher. What is not there may come; "never" is refused.
type files struct {
	mu   sync.Mutex
	by   map[string]string
	took time.Duration
	n    int
}

func (f *files) Fetch(ctx context.Context, _, uri string) ([]byte, error) {
	waitFor(ctx, f.took)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if strings.HasPrefix(uri, "never") {
		return nil, fmt.Errorf("asked for it: %w", feature.Refuse(feature.ReasonNotAllowed, "%s", uri))
	}
	data, ok := f.by[uri]
	if !ok {
		return nil, errors.New("no route to host")
	}
	return []byte(data), nil
}

func (f *files) put(uri, data string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.by[uri] = data
}

// works runs a worker in a bubble of time until the test ends.
func works(t *testing.T, m *memory, f *files, lanes ...Lane) (stop func()) {
	t.Helper()
	w, err := New(Config{Lanes: lanes, ItemBytes: 100, InFlightBytes: 250, Retry: DefaultRetry()},
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

// TestEverythingIsAnswered: pictures and recordings, inline and fetched, many of the same content, some refused, replaced
// while they wait: in the end each question has the answer to its latest revision, and no content was encoded twice, but
// for those that nobody had any more when their vector came.
func TestEverythingIsAnswered(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			m := newMemory(t)
			m.busy = time.Duration(rng.IntN(3)) * time.Millisecond
			f := &files{by: map[string]string{}, took: time.Duration(rng.IntN(20)) * time.Millisecond}
			eye := &scripted{asked: map[string]int{}, took: time.Duration(rng.IntN(30)) * time.Millisecond}
			ear := &scripted{asked: map[string]int{}}
			stop := works(t, m, f, Lane{"image", eye, 1 + rng.IntN(5), 1 + rng.IntN(3)}, Lane{"audio", ear, 1, 1})
			defer stop()
			type want struct {
				data    string
				refused bool
			}
			wants := map[graphstore.NodeID]want{}
			for range 200 {
				node := 1 + rng.IntN(60)
				kind := []string{"image", "audio"}[node%2]
				data := fmt.Sprintf("%s %*d", kind, 2+rng.IntN(30), 0)
				w := want{data: data}
				switch rng.IntN(10) {
				case 0:
					w = want{"bad " + data, true}
					m.put(node, kind, "", w.data)
				case 1:
					w = want{"", true}
					m.put(node, kind, "never/there", "")
				case 2, 3, 4:
					m.put(node, kind, "", data)
				default:
					f.put(data, data)
					m.put(node, kind, data, "")
				}
				wants[graphstore.NodeID(node)] = w
				if rng.IntN(4) == 0 {
					time.Sleep(time.Duration(rng.IntN(50)) * time.Millisecond)
				}
			}
			time.Sleep(time.Minute) // of the bubble
			got := m.answers()
			for node, w := range wants {
				a, ok := got[node]
				switch {
				case !ok:
					t.Errorf("seed %d: node %d (%q) is not answered", seed, node, w.data)
				case w.refused != (a.Refusal != nil):
					t.Errorf("seed %d: node %d (%q): refusal %v", seed, node, w.data, a.Refusal)
				case !w.refused && (len(a.Vector) != 1 || a.Vector[0] != float32(len(w.data)) || a.Content != graphstore.ContentOf([]byte(w.data))):
					t.Errorf("seed %d: node %d (%q): vector %v of %x", seed, node, w.data, a.Vector, a.Content)
				}
			}
			for _, s := range []*scripted{eye, ear} {
				for data, n := range s.asked {
					if n > 1+m.lost[graphstore.ContentOf([]byte(data))] {
						t.Errorf("seed %d: %q was encoded %d times", seed, data, n)
					}
				}
			}
			if eye.most > 3 || ear.most > 1 {
				t.Errorf("seed %d: %d and %d calls at once", seed, eye.most, ear.most)
			}
			for _, k := range m.queue.Kinds() {
				if d := m.queue.Depth(k); d != (Depth{}) {
					t.Errorf("seed %d: %s: left in the queue: %+v", seed, k, d)
				}
			}
		})
	}
}

// TestEncoderDownAndBack: while an encoder is down nothing is lost and it is asked ever less often; the other modality goes on;
// when it is back, all that waited is encoded soon, also what had failed.
func TestEncoderDownAndBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		eye, ear := &scripted{asked: map[string]int{}, down: true}, &scripted{asked: map[string]int{}}
		stop := works(t, m, &files{}, Lane{"image", eye, 4, 2}, Lane{"audio", ear, 1, 1})
		defer stop()
		for i := range 50 {
			m.put(i, "image", "", fmt.Sprintf("picture %d", i))
			m.put(100+i, "audio", "", fmt.Sprintf("recording %d", i))
		}
		time.Sleep(10 * time.Minute)
		if n := len(m.answers()); n != 50 {
			t.Errorf("%d answers, want the 50 recordings", n)
		}
		if d := m.queue.Depth("image"); d.Waiting != 50 || d.Held != 50 {
			t.Errorf("waiting %+v, want 50, all held back", d)
		}
		if eye.calls > 30 {
			t.Errorf("an encoder that is down was asked %d times in 10 minutes", eye.calls)
		}
		eye.set(false)
		time.Sleep(mostRest + 2*time.Second)
		if n := len(m.answers()); n != 100 {
			t.Errorf("%d answers after the encoder came back, want 100", n)
		}
		for what, n := range eye.asked {
			if n != 1 {
				t.Errorf("%q was encoded %d times", what, n)
			}
		}
	})
}

// TestPoison: an item that makes the encoder fail, whatever it is asked together with, keeps no other from being encoded.
func TestPoison(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		eye := &scripted{asked: map[string]int{}}
		stop := works(t, m, &files{}, Lane{"image", eye, 4, 1})
		defer stop()
		m.put(0, "image", "", "poison")
		m.put(1, "image", "", "short vector")
		for i := 2; i < 100; i++ {
			m.put(i, "image", "", fmt.Sprint("picture ", i))
		}
		time.Sleep(2 * time.Minute)
		if n := len(m.answers()); n != 98 {
			t.Errorf("%d answers, want 98", n)
		}
		if d := m.queue.Depth("image"); d.Waiting != 2 || d.Held != 2 {
			t.Errorf("waiting %+v, want the 2 held back", d)
		}
	})
}

// TestFetchLater: what can't be fetched now is fetched when it can be, and holds up nobody.
func TestFetchLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, f := newMemory(t), &files{by: map[string]string{}}
		stop := works(t, m, f, Lane{"image", &scripted{asked: map[string]int{}}, 2, 1})
		defer stop()
		m.put(1, "image", "http://down/1", "")
		m.put(2, "image", "http://down/2", "")
		m.put(3, "image", "", "a picture")
		m.put(4, "image", "http://empty", "")
		f.put("http://empty", "")
		time.Sleep(time.Minute)
		if got := m.answers(); len(got) != 2 || got[4].Refusal == nil || got[4].Refusal.Reason != feature.ReasonEmpty {
			t.Errorf("answered: %v", got)
		}
		f.put("http://down/1", "another picture")
		time.Sleep(DefaultRetry().Most)
		if got := m.answers(); len(got) != 3 || len(got[1].Vector) != 1 {
			t.Errorf("answered: %v", got)
		}
		if d := m.queue.Depth("image"); d.Waiting != 1 || d.Held != 1 {
			t.Errorf("waiting %+v", d)
		}
	})
}

// TestReplacedWhileEncoded: the answer to a question that was replaced meanwhile does not stand for the new one.
func TestReplacedWhileEncoded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		eye := &scripted{asked: map[string]int{}, took: time.Second}
		stop := works(t, m, &files{}, Lane{"image", eye, 1, 1})
		defer stop()
		m.put(1, "image", "", "old")
		time.Sleep(500 * time.Millisecond)
		m.put(1, "image", "", "brand new")
		time.Sleep(5 * time.Second)
		if a := m.answers()[1]; !slices.Equal(a.Vector, []float32{9}) {
			t.Errorf("answered: %+v", a)
		}
	})
}

// TestAnotherWorkerGoesOn: what a worker had taken when it was stopped is done by the next one.
func TestAnotherWorkerGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		eye := &scripted{asked: map[string]int{}, took: time.Second}
		for i := range 9 {
			m.put(i, "image", "", fmt.Sprint("picture ", i))
		}
		for range 3 {
			stop := works(t, m, &files{}, Lane{"image", eye, 2, 1})
			time.Sleep(1500 * time.Millisecond)
			stop()
		}
		if n := len(m.answers()); n < 3 || n == 9 {
			t.Errorf("%d answers, want some by each of the workers, and some left", n)
		}
		stop := works(t, m, &files{}, Lane{"image", eye, 2, 1})
		defer stop()
		time.Sleep(10 * time.Second)
		if n := len(m.answers()); n != 9 {
			t.Errorf("%d answers, want 9", n)
		}
	})
}

// TestStateFails: an error of the state ends the worker.
func TestStateFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	m := newMemory(t)
	m.put(1, "image", "", "picture")
	w, err := New(Config{Lanes: []Lane{{"image", &scripted{asked: map[string]int{}}, 1, 1}}, ItemBytes: 1, InFlightBytes: 1, Retry: DefaultRetry()},
		m.queue, failing{m, broken}, &files{}, NewMetrics(prometheus.NewRegistry(), m.queue.Kinds()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("ended with %v", err)
	}
}

type failing struct {
	*memory
	err error
}

func (f failing) Answer(context.Context, []Answer) error { return f.err }

type panics struct{}

func (panics) Identity() feature.Identity {
	return feature.Identity{Name: "panics", Version: 2, Dim: 3}
}
func (panics) Encode(data []byte) ([]float32, error) { return []float32{float32(data[5]), 0, 0}, nil }

// TestLocal: a built-in encoder that breaks down on hostile bytes refuses them.
func TestLocal(t *testing.T) {
	t.Parallel()
	e := Local(panics{}, 1)
	out := e.Encode(t.Context(), []feature.Item{{Data: []byte("short")}, {Data: []byte("longer")}})
	if r, ok := feature.AsRefusal(out[0].Err); !ok || r.Reason != feature.ReasonCorrupt {
		t.Errorf("answer %+v", out[0])
	}
	if out[1].Err != nil || out[1].Vector[0] != 'r' {
		t.Errorf("answer %+v", out[1])
	}
	vec := []float32{1, 2, 3}
	if Made(e, "panics", vec) || !Made(e, "panics v2, 3 numbers", vec) || Made(e, "panics v2, 3 numbers", vec[:2]) {
		t.Error("a built-in encoder's vectors are told by its whole identity")
	}
	if p := (Precomputed{e.Identity()}); !Made(p, "panics", vec) || Made(p, "panic", vec) {
		t.Error("others' vectors are told by the name")
	}
}
