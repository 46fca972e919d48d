package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kilim/learner/encode/feature"
)

// In these tests time is synctest's: it moves on when all wait, so that a minute takes no time
// and every duration can be held exactly. The network is pipes, since a bubble can't wait
// for real connections.

const dim = 3

// pipes is a network of one server.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	mu    sync.Mutex
	down  bool // connections are refused
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	p.mu.Lock()
	down := p.down
	p.mu.Unlock()
	if down {
		return nil, fmt.Errorf("connection refused")
	}
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// request is what the server was asked, of any kind.
type request struct {
	path   string
	header http.Header
	raw    map[string]json.RawMessage
	items  []string // the texts, or the data of media
}

func parse(t *testing.T, r *http.Request) request {
	t.Helper()
	got := request{path: r.URL.Path, header: r.Header}
	if err := json.NewDecoder(r.Body).Decode(&got.raw); err != nil {
		t.Errorf("the request's body: %v", err)
	}
	for _, key := range []string{"input", "inputs", "items"} {
		if got.raw[key] == nil {
			continue
		}
		var media []struct{ Data []byte }
		if json.Unmarshal(got.raw[key], &got.items) == nil {
			continue
		}
		got.items = nil
		if err := json.Unmarshal(got.raw[key], &media); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		for _, m := range media {
			got.items = append(got.items, string(m.Data))
		}
	}
	return got
}

// vectorOf is what a good server makes of an item: not of length 1, told by its text.
func vectorOf(item string) [dim]float64 {
	h := rand.New(rand.NewPCG(uint64(len(item)), uint64(item[0])<<8|uint64(item[len(item)-1])))
	return [dim]float64{1 + h.Float64(), h.NormFloat64(), h.NormFloat64()}
}

// answer is a good reply of a kind.
func answer(kind string, items []string) string {
	vs := make([][dim]float64, len(items))
	for i, item := range items {
		vs[i] = vectorOf(item)
	}
	return answerOf(kind, vs)
}

func answerOf(kind string, vs any) string {
	b, _ := json.Marshal(vs)
	switch kind {
	case TEI:
		return string(b)
	case OpenAI:
		var raws []json.RawMessage
		_ = json.Unmarshal(b, &raws)
		var data []string
		for i := len(raws) - 1; i >= 0; i-- { // in any order: the index counts
			data = append(data, fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":%s}`, i, raws[i]))
		}
		return `{"object":"list","data":[` + strings.Join(data, ",") + `],"usage":{"total_tokens":5}}`
	}
	return `{"model":"m","embeddings":` + string(b) + `}`
}

// script is a server: turn is the number of the request, from 1.
type script func(turn int, req request, w http.ResponseWriter, r *http.Request)

// stage is an encoder with its server, in a bubble.
type stage struct {
	*Encoder
	t     *testing.T
	net   *pipes
	heard *ear
	mu    sync.Mutex
	asked []request
	start time.Time
}

// ear is an Observer that remembers.
type ear struct {
	mu       sync.Mutex
	outcomes []string
	states   []string
}

func (e *ear) Request(outcome string, _ time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.outcomes = append(e.outcomes, outcome)
}

func (e *ear) Breaker(state string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.states = append(e.states, state)
}

func (e *ear) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.outcomes, " ")
}

func config(kind string) Config {
	return Config{
		Kind: kind, Modality: "text", URL: "http://server", Model: "m", Version: 1, Dim: dim,
		Timeout: 10 * time.Second, Batch: 8, Concurrency: 2,
	}
}

// play runs a test in a bubble.
func play(t *testing.T, cfg Config, serve script, test func(s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, net: newPipes(), heard: &ear{}, start: time.Now()}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			req := parse(t, r)
			s.mu.Lock()
			s.asked = append(s.asked, req)
			turn := len(s.asked)
			s.mu.Unlock()
			serve(turn, req, w, r)
		})}
		go func() { _ = server.Serve(s.net) }()
		var err error
		if s.Encoder, err = New(cfg, s.heard, nil); err != nil {
			t.Fatal(err)
		}
		s.client.Transport.(*http.Transport).DialContext = s.net.dial
		test(s)
		s.Close()
		_ = server.Close()
	})
}

func (s *stage) sizes() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []int
	for _, r := range s.asked {
		out = append(out, len(r.items))
	}
	return out
}

func (s *stage) elapsed() time.Duration { return time.Since(s.start) }

func texts(names ...string) []feature.Item {
	out := make([]feature.Item, len(names))
	for i, n := range names {
		out[i] = feature.Item{Kind: "text", Text: n}
	}
	return out
}

// encode expects a vector for each text but those in bad, whose errors it returns in order.
func (s *stage) encode(items []feature.Item, bad ...int) []error {
	s.t.Helper()
	results := s.Encode(context.Background(), items)
	if len(results) != len(items) {
		s.t.Fatalf("%d results for %d items", len(results), len(items))
	}
	var errs []error
	isBad := map[int]bool{}
	for _, i := range bad {
		isBad[i] = true
	}
	for i, r := range results {
		switch {
		case isBad[i] && (r.Err == nil || r.Vector != nil):
			s.t.Errorf("item %d: %v, error %v; want an error alone", i, r.Vector, r.Err)
		case isBad[i]:
			errs = append(errs, r.Err)
		case r.Err != nil:
			s.t.Errorf("item %d: %v", i, r.Err)
		default:
			s.same(i, items[i], r.Vector)
		}
	}
	for len(errs) < len(bad) {
		errs = append(errs, nil)
	}
	return errs
}

func (s *stage) same(i int, item feature.Item, got []float32) {
	s.t.Helper()
	want := vectorOf(item.Text + string(item.Data))
	length := math.Sqrt(want[0]*want[0] + want[1]*want[1] + want[2]*want[2])
	if len(got) != dim {
		s.t.Errorf("item %d: %v", i, got)
		return
	}
	for k := range want {
		if math.Abs(float64(got[k])-want[k]/length) > 1e-6 {
			s.t.Errorf("item %d: %v, want %v over %v", i, got, want, length)
			return
		}
	}
}

func status(w http.ResponseWriter, code int) { http.Error(w, `{"error":"no"}`, code) }

func reply(w http.ResponseWriter, text string) { _, _ = w.Write([]byte(text)) }
