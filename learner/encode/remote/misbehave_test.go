package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kilim/learner/encode/feature"
)

// misbehaving makes a server that does what is wrong in the first requests and is good then.
func misbehaving(kind string, times int, wrong http.HandlerFunc) script {
	return func(turn int, req request, w http.ResponseWriter, r *http.Request) {
		if turn <= times {
			wrong(w, r)
			return
		}
		reply(w, answer(kind, req.items))
	}
}

func limited(after func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", after())
		status(w, http.StatusTooManyRequests)
	}
}

func always(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { status(w, code) }
}

func saying(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, text) }
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func reset(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	reply(w, "[[1,")
}

// What passes by itself is waited for; the waits are held to what was configured.
func TestWhatIsRepeated(t *testing.T) {
	t.Parallel()
	date := func() string { return time.Now().Add(20 * time.Second).UTC().Format(http.TimeFormat) }
	// The three waits are 0.5 s, 1 s and 2 s, each more or less by half.
	for name, c := range map[string]struct {
		wrong         http.HandlerFunc
		times         int
		outcome       string
		least, atMost time.Duration
	}{
		"seconds":         {limited(func() string { return "7" }), 2, outcomeLimited, 14 * time.Second, 14 * time.Second},
		"date":            {limited(date), 1, outcomeLimited, 19 * time.Second, 20 * time.Second},
		"no retry-after":  {limited(func() string { return "" }), 1, outcomeLimited, 250 * time.Millisecond, 750 * time.Millisecond},
		"500":             {always(500), 3, outcomeServer, 1750 * time.Millisecond, 5250 * time.Millisecond},
		"503":             {always(503), 3, outcomeServer, 1750 * time.Millisecond, 5250 * time.Millisecond},
		"408":             {always(408), 1, outcomeServer, 250 * time.Millisecond, 750 * time.Millisecond},
		"connection lost": {reset, 2, outcomeNetwork, 750 * time.Millisecond, 2250 * time.Millisecond},
		"answer cut off":  {cut, 1, outcomeNetwork, 250 * time.Millisecond, 750 * time.Millisecond},
		"hanging":         {hang, 1, outcomeTimeout, 10250 * time.Millisecond, 10750 * time.Millisecond},
		"hanging body": {func(w http.ResponseWriter, r *http.Request) {
			reply(w, "[[1,")
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		}, 1, outcomeTimeout, 10250 * time.Millisecond, 10750 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, config(TEI), misbehaving(TEI, c.times, c.wrong), func(s *stage) {
				s.encode(texts("a"))
				want := strings.Repeat(c.outcome+" ", c.times) + outcomeOK
				if got := s.heard.String(); got != want {
					t.Errorf("requests %q, want %q", got, want)
				}
				if took := s.elapsed(); took < c.least || took > c.atMost {
					t.Errorf("took %v, want %v to %v", took, c.least, c.atMost)
				}
			})
		})
	}
}

// After the last try the error says what the server said, and the item may be tried again.
func TestWhatIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wrong    http.HandlerFunc
		requests int
		want     string
	}{
		"503 for long":     {always(503), 4, "503"},
		"busy for long":    {limited(func() string { return "1" }), 4, "429"},
		"busy for an hour": {limited(func() string { return "3600" }), 1, "left alone for 1h0m0s"},
		"unauthorized":     {always(401), 1, "401"},
		"forbidden":        {always(403), 1, "403"},
		"not found":        {always(404), 1, "404"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere/embed", http.StatusTemporaryRedirect)
		}, 1, "307"},
		"204":             {always(204), 1, "204"},
		"garbage":         {saying("<html>"), 1, "invalid character"},
		"nothing":         {saying(""), 1, "unexpected end"},
		"another form":    {saying(`{"vectors":[]}`), 1, "cannot unmarshal"},
		"too few":         {saying("[]"), 1, "0 vectors for 1 items"},
		"too many":        {saying("[[1,2,3],[1,2,3]]"), 1, "2 vectors for 1 items"},
		"wrong length":    {saying("[[1,2,3,4]]"), 1, "vector of 4 numbers, the configured dimension is 3"},
		"NaN":             {saying("[[1,NaN,3]]"), 1, "invalid character 'N'"},
		"null":            {saying("[[1,null,3]]"), 1, "want a finite number"},
		"beyond float32":  {saying("[[1,1e40,3]]"), 1, "want a finite number"},
		"zero":            {saying("[[0,0,0]]"), 1, "zero"},
		"never accepting": {always(422), 1, "has not encoded anything yet"},
		"huge": {func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write([]byte(strings.Repeat("[1,", 10_000))); err != nil {
					return
				}
			}
		}, 1, "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, config(TEI), misbehaving(TEI, 1000, c.wrong), func(s *stage) {
				err := s.encode(texts("a"), 0)[0]
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q", err, c.want)
				}
				if r, refused := feature.AsRefusal(err); refused {
					t.Errorf("refused for good: %v", r)
				}
				if len(s.asked) != c.requests {
					t.Errorf("%d requests, want %d", len(s.asked), c.requests)
				}
			})
		})
	}
}

func TestIndicesOfOpenAI(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"data":[{"embedding":[1,2,3],"index":0},{"embedding":[1,2,3],"index":0}]}`:  "index 0 of vector 1",
		`{"data":[{"embedding":[1,2,3],"index":0},{"embedding":[1,2,3],"index":2}]}`:  "index 2",
		`{"data":[{"embedding":[1,2,3],"index":-1},{"embedding":[1,2,3],"index":1}]}`: "index -1",
		`{"data":[{"index":0},{"index":0}]}`:                                          "index 0 of vector 1",
		`{"data":[{"embedding":[1,2,3]}]}`:                                            "1 vectors for 2 items",
		`{"error":{"message":"no"}}`:                                                  "0 vectors for 2 items",
	} {
		if _, err := vectors(OpenAI, []byte(text), 2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
	raws, err := vectors(OpenAI, []byte(`{"data":[{"embedding":[1]},{"embedding":[2]}]}`), 2)
	if err != nil || string(raws[0]) != "[1]" || string(raws[1]) != "[2]" {
		t.Errorf("without indices: %s, %v", raws, err)
	}
}

// The one item that the server can't take is found, whatever the server says to the whole,
// and the others are encoded.
func TestBadItemIsFound(t *testing.T) {
	t.Parallel()
	names := strings.Split("abcdefgh", "")
	for name, c := range map[string]struct {
		wrong   http.HandlerFunc
		refused bool
		most    int // requests
	}{
		"400":          {always(400), true, 7},
		"413":          {always(413), true, 7},
		"422":          {always(422), true, 7},
		"500":          {always(500), false, 10}, // the item alone is tried four times
		"NaN":          {saying("[[1,NaN,3]]"), false, 7},
		"short":        {saying("[[1,2,3]]"), false, 7},
		"garbage":      {saying("oops"), false, 7},
		"not the form": {saying("{}"), false, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at, bad := range names {
				serve := func(_ int, req request, w http.ResponseWriter, r *http.Request) {
					if slices.Contains(req.items, bad) {
						if name == "short" && len(req.items) == 1 {
							reply(w, "[]")
							return
						}
						c.wrong(w, r)
						return
					}
					reply(w, answer(TEI, req.items))
				}
				play(t, config(TEI), serve, func(s *stage) {
					err := s.encode(texts(names...), at)[0]
					refusal, refused := feature.AsRefusal(err)
					if err == nil || refused != c.refused || refused && refusal.Reason != feature.ReasonRejected {
						t.Errorf("%s: error %v, want a refusal: %v", bad, err, c.refused)
					}
					if len(s.asked) > c.most {
						t.Errorf("%s: %d requests, want %d at most: %v", bad, len(s.asked), c.most, s.sizes())
					}
					if s.breaker.State().String() != Closed {
						t.Error("a bad item opens the breaker")
					}
				})
			}
		})
	}
}

// One vector of a reply that is wrong does not spoil the others, and needs no second request.
func TestBadVectorIsItsItemsAlone(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		serve := func(_ int, req request, w http.ResponseWriter, _ *http.Request) {
			reply(w, answerOf(kind, []any{vectorOf(req.items[0]), []float64{1, 2}, vectorOf(req.items[2]), []any{1, nil, 2}, []int{0, 0, 0}}))
		}
		play(t, config(kind), serve, func(s *stage) {
			errs := s.encode(texts("a", "b", "c", "d", "e"), 1, 3, 4)
			for i, want := range []string{"vector of 2 numbers, the configured dimension is 3", "null", "zero"} {
				if errs[i] == nil || !strings.Contains(errs[i].Error(), want) {
					t.Errorf("%s: error %v, want %s", kind, errs[i], want)
				}
			}
			if len(s.asked) != 1 {
				t.Errorf("%s: %d requests", kind, len(s.asked))
			}
		})
	}
}

// A server that has encoded something is believed when it rejects an item by itself.
func TestRejectionOfOneThatKnows(t *testing.T) {
	t.Parallel()
	serve := func(_ int, req request, w http.ResponseWriter, _ *http.Request) {
		if req.items[0] == "bad" {
			http.Error(w, `{"error":"Input validation error"}`, http.StatusUnprocessableEntity)
			return
		}
		reply(w, answer(TEI, req.items))
	}
	play(t, config(TEI), serve, func(s *stage) {
		if _, refused := feature.AsRefusal(s.encode(texts("bad"), 0)[0]); refused {
			t.Error("refused by a server that has shown nothing yet")
		}
		s.encode(texts("good"))
		r, refused := feature.AsRefusal(s.encode(texts("bad"), 0)[0])
		if !refused || r.Reason != feature.ReasonRejected || !strings.Contains(r.Detail, "Input validation error") {
			t.Errorf("refusal %v", r)
		}
	})
}

// A server that is away for a minute is not hammered meanwhile, and is found again.
func TestServerDiesAndReturns(t *testing.T) {
	t.Parallel()
	cfg := config(TEI)
	good := func(_ int, req request, w http.ResponseWriter, _ *http.Request) { reply(w, answer(TEI, req.items)) }
	play(t, cfg, good, func(s *stage) {
		s.encode(texts("a"))
		s.Close() // the connection that is kept goes with the server
		s.net.setDown(true)
		fell := time.Now()
		open, calls := 0, 0
		for time.Since(fell) < time.Minute {
			calls++
			r := s.Encode(context.Background(), texts("a", "b"))
			if r[0].Err == nil || r[1].Err == nil {
				t.Fatalf("a vector from a server that is away: %+v", r)
			}
			if errors.Is(r[0].Err, ErrOpen) {
				open++
			}
			if !strings.Contains(r[0].Err.Error(), "connection refused") {
				t.Errorf("error %v", r[0].Err)
			}
			time.Sleep(time.Second)
		}
		if tried := strings.Count(s.heard.String(), outcomeNetwork); tried < 7 || tried > 10 {
			t.Errorf("%d requests in a minute, want 5 to open and one each 15 s: %v", tried, s.heard)
		}
		if open < calls*3/4 {
			t.Errorf("%d of %d calls are answered without a request", open, calls)
		}
		s.net.setDown(false)
		time.Sleep(openFor)
		s.encode(texts("a", "b", "c"))
		states := s.heard.states
		if states[0] != Closed || states[1] != Open || states[len(states)-2] != HalfOpen || states[len(states)-1] != Closed {
			t.Errorf("states %v", states)
		}
	})
}

// A wholly broken server is soon left alone, also by calls of many items.
func TestBrokenServerIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]http.HandlerFunc{"500": always(500), "garbage": saying("oops"), "wrong length": saying("[[1],[1]]"), "503": always(503)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, config(TEI), misbehaving(TEI, 1000, wrong), func(s *stage) {
				var items []feature.Item
				for i := range 200 {
					items = append(items, texts(fmt.Sprint(i))...)
				}
				for i, r := range s.Encode(context.Background(), items) {
					if r.Err == nil {
						t.Fatalf("item %d: no error", i)
					}
				}
				if len(s.asked) > 20 {
					t.Errorf("%d requests", len(s.asked))
				}
				if r := s.Encode(context.Background(), texts("a")); !errors.Is(r[0].Err, ErrOpen) {
					t.Errorf("error %v, want ErrOpen", r[0].Err)
				}
			})
		})
	}
}
