package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/klauspost/compress/gzip"
)

const oneTruth = `{"id":"a","theme":{"x":["y"]}}`

// TestTurns: what is costly runs so many times at once, the next one is told when to come again, and a turn ends however it ends.
func TestTurns(t *testing.T) {
	t.Parallel()
	for path, c := range map[string]struct {
		atOnce int
		body   string
	}{"/api/v1/evaluate": {1, oneTruth}, "/api/v1/similar": {searchesAtOnce, `{"title":"a"}`}} {
		synctest.Test(t, func(t *testing.T) {
			leave := make(chan struct{})
			s := newServer(t, &fake{blocks: func(context.Context) { <-leave; panic("at the disco") }})
			done := make(chan int, c.atOnce)
			for range c.atOnce {
				go func() { done <- ask(t, s, http.MethodPost, path, c.body).Code }()
			}
			synctest.Wait()
			w := ask(t, s, http.MethodPost, path, c.body)
			if text := errorText(t, w); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "10" || !strings.Contains(text, "try again in 10s") {
				t.Errorf("%s: %d %v %s", path, w.Code, w.Header(), text)
			}
			close(leave)
			for range c.atOnce {
				if code := <-done; code != http.StatusInternalServerError {
					t.Errorf("%s: status %d after a panic", path, code)
				}
			}
			if w := ask(t, s, http.MethodPost, path, c.body); w.Code != http.StatusInternalServerError { // its own panic
				t.Errorf("%s: status %d, the turns did not end", path, w.Code)
			}
		})
	}
}

// TestSearchWaitsForItsTurn: a search whose turn comes soon is answered.
func TestSearchWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		s := newServer(t, &fake{blocks: func(context.Context) { <-leave }})
		done := make(chan int, 2*searchesAtOnce)
		for range 2 * searchesAtOnce {
			go func() { done <- ask(t, s, http.MethodPost, "/api/v1/similar", `{"title":"Rug"}`).Code }()
		}
		synctest.Wait()
		close(leave)
		for range 2 * searchesAtOnce {
			if code := <-done; code != http.StatusOK {
				t.Errorf("status %d", code)
			}
		}
	})
}

// TestEvaluationEnds: an evaluation is given a time, and the one that takes longer is an error.
func TestEvaluationEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{blocks: func(ctx context.Context) { <-ctx.Done() }, fail: func(string) error { return context.DeadlineExceeded }}
		if w := ask(t, newServer(t, f), http.MethodPost, "/api/v1/evaluate", oneTruth); w.Code != http.StatusServiceUnavailable {
			t.Errorf("status %d", w.Code)
		}
	})
}

func TestSearchOfManyParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ terms, links, code int }{{maxParts, 0, 200}, {maxParts - 1, 1, 200}, {maxParts, 1, 400}, {maxParts + 1, 0, 400}} {
		var body strings.Builder
		body.WriteString(`{"id":"x","link":[`)
		for i := range c.links {
			fmt.Fprintf(&body, `{"type":"related","target":"t%d"}`, i)
		}
		body.WriteString(`],"subject":["s"`)
		for i := range c.terms/2 - 1 {
			fmt.Fprintf(&body, `,"s%d"`, i)
		}
		body.WriteString(`],"culture":["c"`)
		for i := range c.terms - c.terms/2 - 1 {
			fmt.Fprintf(&body, `,"c%d"`, i)
		}
		body.WriteString(`]}`)
		f := &fake{}
		w := ask(t, newServer(t, f), http.MethodPost, "/api/v1/similar", body.String())
		if w.Code != c.code || (f.lastAsked() != "") != (c.code == 200) {
			t.Errorf("%d terms and %d links: status %d %s", c.terms, c.links, w.Code, w.Body)
		}
	}
}

// TestPackedTruthTooLarge: 1 MB of gzip that unpacks beyond what eval.Read reads.
func TestPackedTruthTooLarge(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z, err := gzip.NewWriterLevel(&zipped, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	id := strings.Repeat("x", 1<<20)
	for n := range 65 {
		if _, err := fmt.Fprintf(z, `{"id":"%d%s"}`+"\n", n, id); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	f := &fake{}
	w := ask(t, newServer(t, f), http.MethodPost, "/api/v1/evaluate", zipped.String())
	if text := errorText(t, w); w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(text, "too large") || f.lastAsked() != "" {
		t.Errorf("%d packed bytes: %d %s", zipped.Len(), w.Code, text)
	}
}

// zipped packs a body: its checksum keeps the fuzzer from what is within.
func zipped(t *testing.T, body []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(body)
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// FuzzBodies: whatever is posted, packed or not, is answered, with 200 or with a fault of the client's, and leaves the turns free.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{"", "{}", oneTruth, `{"a":"1","b":"2","grade":1}`, `{"id":"x","media":[{"kind":"image","data":"AAAA"}]}`,
		`{"subject":["a",{"id":"b","label":"c"}],"theme":{"m":["x"]},"link":[{"type":"t","target":"u"}]}`, "\x1f\x8b\x08\x00", "[[[["} {
		f.Add(true, false, []byte(body))
		f.Add(true, true, []byte(body))
		f.Add(false, false, []byte(body))
	}
	s := newServer(f, &fake{})
	f.Fuzz(func(t *testing.T, truth, packed bool, body []byte) {
		path := "/api/v1/similar"
		if truth {
			path = "/api/v1/evaluate"
		}
		if packed {
			body = zipped(t, body)
		}
		r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
		r.Host = "127.0.0.1"
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		answer, err := io.ReadAll(w.Result().Body)
		if err != nil || len(answer) == 0 || w.Code != 200 && (w.Code < 400 || w.Code > 499) {
			t.Errorf("status %d: %s (%v)", w.Code, answer, err)
		}
	})
}
