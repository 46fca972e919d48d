package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kilim/learner/encode/feature"
)

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			good := func(_ int, req request, w http.ResponseWriter, _ *http.Request) { reply(w, answer(kind, req.items)) }
			play(t, config(kind), good, func(s *stage) {
				s.encode(texts("a", "bé\n\"", "ccc"))
				want := map[string]struct{ path, keys string }{
					OpenAI: {"/v1/embeddings", `encoding_format="float" input model="m"`},
					TEI:    {"/embed", `inputs truncate=true`},
					Ollama: {"/api/embed", `input model="m" truncate=true`},
					HTTP:   {"/", `items kind="text" model="m"`},
				}[kind]
				got := s.asked[0]
				var keys []string
				for k, v := range got.raw {
					if v[0] != '[' {
						k += "=" + string(v)
					}
					keys = append(keys, k)
				}
				slices.Sort(keys)
				if got.path != want.path || strings.Join(keys, " ") != want.keys {
					t.Errorf("asked %s with %s, want %s with %s", got.path, keys, want.path, want.keys)
				}
				if h := got.header; h.Get("Content-Type") != "application/json" || h.Get("User-Agent") != "kilim" {
					t.Errorf("headers %v", h)
				}
			})
		})
	}
}

func TestMedia(t *testing.T) {
	t.Parallel()
	cfg := config(HTTP)
	cfg.Modality, cfg.URL = "image", "http://server/clip?x=1"
	good := func(_ int, req request, w http.ResponseWriter, _ *http.Request) { reply(w, answer(HTTP, req.items)) }
	play(t, cfg, good, func(s *stage) {
		errs := s.encode([]feature.Item{
			{Kind: "image", MediaType: "image/png", Data: []byte("\x89PNG")}, {Kind: "image", Data: []byte("\xff\xd8")},
			{Kind: "image"}, {Kind: "text", Text: "t"},
		}, 2, 3)
		for i, want := range []string{feature.ReasonEmpty, feature.ReasonUnsupported} {
			if r, ok := feature.AsRefusal(errs[i]); !ok || r.Reason != want {
				t.Errorf("error %v, want a refusal for %s", errs[i], want)
			}
		}
		want := `[{"media_type":"image/png","data":"iVBORw=="},{"data":"/9g="}]`
		if got := string(s.asked[0].raw["items"]); got != want || s.asked[0].path != "/clip" || len(s.asked) != 1 {
			t.Errorf("asked %s with %s, want %s; %d requests", s.asked[0].path, got, want, len(s.asked))
		}
		if kind := string(s.asked[0].raw["kind"]); kind != `"image"` {
			t.Errorf("kind %s", kind)
		}
	})
}

func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	good := func(_ int, req request, w http.ResponseWriter, _ *http.Request) { reply(w, answer(TEI, req.items)) }
	long := strings.Repeat("x", requestBytes-3)
	for name, c := range map[string]struct {
		items []feature.Item
		sizes []int
	}{
		"none":     {nil, nil},
		"by count": {texts(strings.Split(strings.Repeat("a,", 19)+"z", ",")...), []int{4, 8, 8}},
		"by bytes": {texts("a", "bb", long, "c"), []int{1, 3}},
		"large":    {texts("a", long+"long", "b"), []int{1, 1, 1}},
		"one":      {texts(long + "long"), []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, config(TEI), good, func(s *stage) {
				s.encode(c.items)
				got := s.sizes() // requests run side by side, so their order is open
				slices.Sort(got)
				if !slices.Equal(got, c.sizes) {
					t.Errorf("requests of %v items, want %v", got, c.sizes)
				}
			})
		})
	}
}

// Calls share the bound on the requests under way.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	cfg := config(TEI)
	cfg.Batch, cfg.Concurrency = 1, 3
	var now, most atomic.Int64
	slow := func(_ int, req request, w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(time.Second)
		now.Add(-1)
		reply(w, answer(TEI, req.items))
	}
	play(t, cfg, slow, func(s *stage) {
		done := make(chan bool)
		for range 2 {
			go func() { s.encode(texts("a", "b", "c", "d", "e", "f")); done <- true }()
		}
		<-done
		<-done
		if most.Load() != 3 || s.elapsed() != 4*time.Second {
			t.Errorf("%d requests at once, %v; want 3, and 4s for 12 requests of 1s", most.Load(), s.elapsed())
		}
	})
}

func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	hang := func(_ int, _ request, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	cfg := config(TEI)
	cfg.Batch, cfg.Concurrency = 1, 1
	play(t, cfg, hang, func(s *stage) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for i, r := range s.Encode(ctx, texts("a", "b")) {
			if !errors.Is(r.Err, context.DeadlineExceeded) || r.Vector != nil {
				t.Errorf("item %d: %+v", i, r)
			}
		}
		if s.elapsed() != time.Second || s.heard.String() != outcomeCanceled {
			t.Errorf("after %v, requests: %v", s.elapsed(), s.heard)
		}
		if s.breaker.Counts().TotalFailures != 0 {
			t.Error("the caller's haste counts as a failure of the server")
		}
	})
	busy := func(_ int, _ request, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "50")
		status(w, http.StatusTooManyRequests)
	}
	play(t, config(TEI), busy, func(s *stage) {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if r := s.Encode(ctx, texts("a")); !errors.Is(r[0].Err, context.DeadlineExceeded) || s.elapsed() != 3*time.Second {
			t.Errorf("given up in a wait: %v after %v", r[0].Err, s.elapsed())
		}
	})
}

// A secret may be changed while the encoder runs.
func TestHeadersAreReadAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "headers")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# the key of the archive\r\n\nAuthorization:  Bearer one \nX-Team: a:b\n")
	cfg := config(TEI)
	cfg.HeaderFile = path
	good := func(_ int, req request, w http.ResponseWriter, _ *http.Request) { reply(w, answer(TEI, req.items)) }
	play(t, cfg, good, func(s *stage) {
		s.encode(texts("a"))
		write("Authorization: Bearer two")
		s.encode(texts("a"))
		write("Authorization Bearer three")
		err := s.encode(texts("a"), 0)[0]
		if err == nil || !strings.Contains(err.Error(), "line 1: want") || strings.Contains(err.Error(), "three") {
			t.Errorf("error %v", err)
		}
		one, two := s.asked[0].header, s.asked[1].header
		if one.Get("Authorization") != "Bearer one" || one.Get("X-Team") != "a:b" || two.Get("Authorization") != "Bearer two" || two.Get("X-Team") != "" {
			t.Errorf("headers %v and %v", one, two)
		}
		if len(s.asked) != 2 {
			t.Errorf("%d requests, the last one without its headers", len(s.asked))
		}
	})
	for text, want := range map[string]string{
		"A: b\nno colon":                    "line 2",
		": x":                               "line 1",
		"A B: c":                            "line 1",
		"Host: x":                           "Host follows",
		"A: " + strings.Repeat("x", 70<<10): "more than 65536 bytes",
		strings.Repeat("A: xxxxxxxxxxxx\n", 5<<10): "more than 65536 bytes",
	} {
		write(text)
		if _, err := New(cfg, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error %v, want %s", text, err, want)
		}
	}
}

func TestConfigFaultsAreToldTogether(t *testing.T) {
	t.Parallel()
	bad := Config{Kind: "sbert", Modality: "video", URL: "ftp://x", Version: 0, Batch: -1, TLS: TLS{CertFile: "c"}}
	err := bad.Validate()
	var got []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		var f *Fault
		if !errors.As(e, &f) || f.Detail == "" {
			t.Fatalf("%v is no fault", e)
		}
		got = append(got, f.Setting)
	}
	want := []string{"kind", "modality", "url", "model", "version", "dimension", "batch", "concurrency", "timeout", "tls.cert-file"}
	if !slices.Equal(got, want) {
		t.Errorf("faults of %v, want %v", got, want)
	}
	for url, want := range map[string]string{
		"":                      "want the address",
		"http://":               "names no host",
		"server:80":             "want http://",
		"http://u:secret@h":     "header file",
		"http://u:secret@h:%zz": "url",
		"http://h/#x":           "fragment",
		"http://h/\x00secret@":  "control character",
		"http://u:secret/x@h":   "is not an address",
	} {
		cfg := config(TEI)
		cfg.URL = url
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: error %v, want %s", url, err, want)
		}
	}
	cfg := config(TEI)
	cfg.TLS.CAFile = "ca.pem"
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "want https") {
		t.Errorf("a CA without https: %v", err)
	}
	if got := config(OpenAI).Identity(); got != (feature.Identity{Name: "m", Version: 1, Dim: dim}) {
		t.Errorf("identity %v", got)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
		for text, want := range map[string]time.Duration{
			"": 0, "0": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "1.5": 0, "4294967295": 24 * time.Hour, "99999999999": 0,
			in(9 * time.Second): 9 * time.Second, in(-time.Hour): 0, in(1e6 * time.Hour): 24 * time.Hour,
		} {
			if got := retryAfter(text); got != want {
				t.Errorf("%q: %v, want %v", text, got, want)
			}
		}
	})
}

func TestVector(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[1,2,3]": "", " [ 1e0 , -2\n, 3.0 ] ": "", "[0,0,1e-8]": "", "[3e38,3e38,3e38]": "",
		"[1,2]": "vector of 2 numbers, the configured dimension is 3", "[]": "vector of 0 numbers", "[1,2,3,4]": "vector of 4 numbers",
		"[0,0,-0.0]": "zero", "[1e-10,0,0]": "zero", "[1,null,3]": "number 1 is \"null\"", "[1,2,1e39]": "number 2", "[1e999,2,3]": "number 0",
		`["1",2,3]`: "number 0", "[[1],2,3]": "number 0", "[true,2,3]": "number 0", "null": "want an array", `"x"`: "want an array", "": "want an array", "{}": "want an array",
	} {
		v, err := vector([]byte(text), dim)
		if want == "" {
			var squared float64
			for _, x := range v {
				squared += float64(x) * float64(x)
			}
			if err != nil || fmt.Sprintf("%.5f", squared) != "1.00000" {
				t.Errorf("%s: %v, %v", text, v, err)
			}
		} else if err == nil || v != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, error %v, want %s", text, v, err, want)
		}
	}
}

// Whatever a server sends, each item has a good vector or an error.
func FuzzReply(f *testing.F) {
	for _, kind := range Kinds() {
		f.Add(kind, []byte(answer(kind, []string{"a", "b"})))
	}
	f.Add(OpenAI, []byte(`{"data":[{"embedding":[1,2,3],"index":1},{"index":1}]}`))
	f.Add(TEI, []byte(`[[1,2,null],[]]`))
	f.Fuzz(func(t *testing.T, kind string, text []byte) {
		raws, err := vectors(kind, text, 2)
		if err != nil {
			return
		}
		if len(raws) != 2 {
			t.Fatalf("%d vectors", len(raws))
		}
		for _, raw := range raws {
			v, err := vector(raw, dim)
			if (v == nil) == (err == nil) {
				t.Fatalf("%v, %v", v, err)
			}
			var squared float64
			for _, x := range v {
				squared += float64(x) * float64(x)
			}
			if err == nil && (len(v) != dim || squared < 0.999 || squared > 1.001) {
				t.Fatalf("%v", v)
			}
		}
	})
}
