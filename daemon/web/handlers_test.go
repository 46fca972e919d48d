package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"kilim/consumer/profile"
	"kilim/learner/train/eval"
	"kilim/rerank"
)

func nastyIDs() []string {
	return []string{
		"a", "walters:123", "https://example.org/object/1?x=y&z#frag", "a/b", "/", "//", "/similar", "similar", "a/similar", ".", "..",
		"../../metrics", "%", "%2F", "%25", "%zz", "100% wool", "a b", "a+b", "a;b", "a&b=c", "?", "#", "é", "中文/字", "😀", "\u202eabc",
		"\\", "\"quoted\"", "<script>", "{id}", strings.Repeat("x", 1024), strings.Repeat("/", 1024), "~", "*", "'", "e\u0301", "%F0%9F",
	}
}

func TestIDsArriveWhateverTheyAre(t *testing.T) {
	t.Parallel()
	f := &fake{}
	srv := httptest.NewServer(newServer(t, f))
	defer srv.Close()
	ids := nastyIDs()
	rng := rand.New(rand.NewPCG(4, 4))
	for range 100 {
		var b strings.Builder
		for range 1 + rng.IntN(20) {
			r := rune(32 + rng.IntN(96))
			if rng.IntN(3) == 0 {
				r = rune(rng.IntN(0x11000))
			}
			if !unicode.IsControl(r) && utf8.ValidRune(r) {
				b.WriteRune(r)
			}
		}
		if b.Len() > 0 {
			ids = append(ids, b.String())
		}
	}
	for _, id := range ids {
		for tail, want := range map[string]string{
			"":                         fmt.Sprintf("artifact %q", id),
			"/similar?list=total&k=10": fmt.Sprintf("similar %q total 10", id),
		} {
			// %2E is what a client writes who knows that others clean paths.
			for _, escaped := range []string{url.PathEscape(id), strings.ReplaceAll(url.PathEscape(id), ".", "%2E"), everyByte(id)} {
				res, err := http.Get(srv.URL + "/api/v1/artifacts/" + escaped + tail)
				if err != nil {
					t.Fatalf("%q: %v", id, err)
				}
				var got struct{ ID string }
				err = json.NewDecoder(res.Body).Decode(&got)
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK || err != nil || got.ID != id || f.lastAsked() != want {
					t.Fatalf("%q as %q%s: status %d, answer for %q (%v), service was asked %s", id, escaped, tail, res.StatusCode, got.ID, err, f.lastAsked())
				}
			}
		}
	}
}

func everyByte(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02x", s[i])
	}
	return b.String()
}

func TestSimilarParameters(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"":                             `similar "x" total 10`,
		"?":                            `similar "x" total 10`,
		"?k=1":                         `similar "x" total 1`,
		"?k=200&list=general":          `similar "x" general 200`,
		"?list=theme:motif":            `similar "x" theme:motif 10`,
		"?list=theme%3Am%C3%B6%2F%20x": `similar "x" theme:mö/ x 10`,
	} {
		f := &fake{}
		w := ask(t, newServer(t, f), "GET", "/api/v1/artifacts/x/similar"+query, "")
		if w.Code != 200 || f.lastAsked() != want {
			t.Errorf("%q: status %d, asked %s, want %s", query, w.Code, f.lastAsked(), want)
		}
		if got, want := w.Body.String(), `{"id":"x","list":`; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, `"epoch":3,"items":[]}`+"\n") {
			t.Errorf("%q: answer %s", query, got)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	const similar = "/api/v1/artifacts/x/similar"
	for _, c := range []struct {
		method, target, body string
		code                 int
		want                 []string
	}{
		{"GET", similar + "?k=0", "", 400, []string{"k", `"0"`, "1 to 200"}},
		{"GET", similar + "?k=201", "", 400, []string{"k", `"201"`}},
		{"GET", similar + "?k=ten", "", 400, []string{"k", `"ten"`}},
		{"GET", similar + "?k=", "", 400, []string{"k", `""`}},
		{"GET", similar + "?k=99999999999999999999", "", 400, []string{"k"}},
		{"GET", similar + "?k=1&k=2", "", 400, []string{`"k"`, "2 times"}},
		{"GET", similar + "?list=best", "", 400, []string{"list", `"best"`, "theme:NAME"}},
		{"GET", similar + "?list=theme:", "", 400, []string{"list", `"theme:"`}},
		{"GET", similar + "?K=5", "", 400, []string{`"K"`}},
		{"GET", similar + "?k=%zz", "", 400, []string{"query"}},
		{"GET", "/api/v1/artifacts/x?k=5", "", 400, []string{`"k"`}},
		{"GET", "/api/v1/artifacts/", "", 400, []string{"id is empty"}},
		{"GET", "/api/v1/artifacts//similar", "", 400, []string{"id is empty"}},
		{"GET", "/api/v1/artifacts/%ff", "", 400, []string{"id", "UTF-8"}},
		{"GET", "/api/v1/artifacts/a%00b", "", 400, []string{"id", "control"}},
		{"GET", "/api/v1/artifacts/" + strings.Repeat("x", 1025), "", 400, []string{"id", "1025 bytes"}},
		{"GET", "/api/v1/artifacts/missing", "", 404, []string{`"missing"`}},
		{"GET", "/api/v1/artifacts/a/b", "", 404, []string{"%2F"}},
		{"GET", "/api/v1/artifacts/a/similar/", "", 404, []string{"/api/v1/artifacts/a/similar/"}},
		{"GET", "/api/v2", "", 404, []string{"/api/v2"}},
		{"GET", "/metrics/", "", 404, []string{"/metrics/"}},
		{"GET", "/debug/pprof/", "", 404, []string{"not known"}},
		{"POST", similar, "{}", 405, []string{"POST", "GET"}},
		{"DELETE", "/api/v1/artifacts/x", "", 405, []string{"DELETE"}},
		{"GET", "/api/v1/similar", "", 405, []string{"POST"}},
		{"POST", "/api/v1/similar?k=0", `{"id":"x"}`, 400, []string{"k"}},
		{"POST", "/api/v1/similar", `{"id":"x","title":" ","culture":[]}`, 400, []string{"an empty query"}},
		{"POST", "/api/v1/similar", ``, 400, []string{"not_json"}},
		{"POST", "/api/v1/similar", `{`, 400, []string{"not_json"}},
		{"POST", "/api/v1/similar", `[1]`, 400, []string{"not_object"}},
		{"POST", "/api/v1/similar", `{"id":5.5}`, 400, []string{"wrong_type", "id"}},
		{"POST", "/api/v1/similar", `{"title":7}`, 400, []string{"wrong_type", "title"}},
		{"POST", "/api/v1/similar", `{"id":"a\u0000"}`, 400, []string{"bad_id"}},
		{"POST", "/api/v1/similar", `{"location":{"lat":91,"lon":0}}`, 400, []string{"out_of_range", "lat", "91"}},
		{"POST", "/api/v1/similar", strings.Repeat(" ", 1<<20+1), 413, []string{"1048576 bytes"}},
	} {
		w := ask(t, newServer(t, &fake{}), c.method, c.target, c.body)
		text := errorText(t, w)
		if w.Code != c.code {
			t.Errorf("%s %.80s: status %d (%s), want %d", c.method, c.target, w.Code, text, c.code)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s %.80s: error %q lacks %q", c.method, c.target, text, want)
			}
		}
		if c.code == 405 && w.Result().Header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow header", c.method, c.target)
		}
	}
}

func TestErrorsOfTheService(t *testing.T) {
	t.Parallel()
	secret := errors.New("open /secret/path")
	for _, c := range []struct {
		err  error
		code int
		told bool
	}{
		{fmt.Errorf("%w: artifact %q", ErrNotFound, "x"), 404, true},
		{fmt.Errorf("%w: theme %q", ErrUnknownList, "x"), 404, true},
		{fmt.Errorf("%w: x", ErrBadRequest), 400, true},
		{fmt.Errorf("%w: x", ErrUnavailable), 503, true},
		{fmt.Errorf("%w: artifact x", ErrDamaged), 500, true},
		{profile.Refuse(profile.ReasonNoEncoder, "media[0].embedding", "x", "why"), 500, false},
		{fmt.Errorf("x: %w", context.Canceled), 499, false},
		{secret, 500, false},
	} {
		s := newServer(t, &fake{fail: func(string) error { return c.err }})
		for _, w := range []*httptest.ResponseRecorder{
			ask(t, s, "GET", "/api/v1/artifacts/x", ""),
			ask(t, s, "GET", "/api/v1/artifacts/x/similar", ""),
			ask(t, s, "POST", "/api/v1/similar", `{"title":"x"}`),
			ask(t, s, "GET", "/api/v1/status", ""),
		} {
			text := errorText(t, w)
			if w.Code != c.code || (text == c.err.Error()) != c.told || strings.Contains(text, "/secret") {
				t.Errorf("%v: status %d, text %q", c.err, w.Code, text)
			}
		}
	}
}

func TestPanicIsAnError(t *testing.T) {
	t.Parallel()
	s := newServer(t, &fake{panics: "at the disco"})
	w := ask(t, s, "GET", "/api/v1/status", "")
	if text := errorText(t, w); w.Code != 500 || strings.Contains(text, "disco") {
		t.Errorf("status %d, text %q", w.Code, text)
	}
}

func TestUnencodableAnswerIsAnError(t *testing.T) {
	t.Parallel()
	s := newServer(t, &fake{items: []rerank.Entry{{ID: "y", Score: float32(math.NaN())}}})
	if w := ask(t, s, "GET", "/api/v1/artifacts/x/similar", ""); w.Code != 500 {
		t.Errorf("status %d, body %s", w.Code, w.Body)
	}
}

func TestAnswerIsAsScriptsExpect(t *testing.T) {
	t.Parallel()
	f := &fake{items: []rerank.Entry{{ID: "a<b>&", Score: 0.5, Parts: rerank.Parts{Cosine: 0.25}}}}
	w := ask(t, newServer(t, f), "GET", "/api/v1/artifacts/x/similar?list=general&k=1", "")
	want := `{"id":"x","list":"general","staleness":{"seconds":0},"epoch":3,"items":[{"id":"a<b>&","score":0.5,"parts":{"cosine":0.25,"entities":0,"words":0,"date":0,"link":0}}]}` + "\n"
	if got := w.Body.String(); got != want {
		t.Errorf("answer\n%s want\n%s", got, want)
	}
}

func TestSimilarToTakesAnArtifactWithoutID(t *testing.T) {
	t.Parallel()
	for body, id := range map[string]string{`{"title":"a carpet"}`: "", `{"id":"known","title":"a carpet"}`: "known", `{"id":null,"title":"a carpet"}`: ""} {
		f := &fake{}
		w := ask(t, newServer(t, f), "POST", "/api/v1/similar?k=50&list=general", body)
		if want := fmt.Sprintf("similar to %q general 50", id); w.Code != 200 || f.lastAsked() != want {
			t.Errorf("%s: status %d %s, asked %s, want %s", body, w.Code, w.Body, f.lastAsked(), want)
			continue
		}
		if f.last.Title != "a carpet" {
			t.Errorf("%s: title %q", body, f.last.Title)
		}
		shown := id
		if id == "" {
			shown = "query"
		}
		var a Answer
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || a.ID != shown {
			t.Errorf("%s: answer %s", body, w.Body)
		}
	}
}

func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()
	f := &fake{unready: errors.New("still loading")}
	s := newServer(t, f)
	if w := ask(t, s, "GET", "/-/healthy", ""); w.Code != 200 {
		t.Errorf("healthy: status %d", w.Code)
	}
	w := ask(t, s, "GET", "/-/ready", "")
	if text := errorText(t, w); w.Code != 503 || !strings.Contains(text, "still loading") {
		t.Errorf("ready: status %d, %q", w.Code, text)
	}
	f.unready = nil
	if w := ask(t, s, "HEAD", "/-/ready", ""); w.Code != 200 {
		t.Errorf("ready: status %d", w.Code)
	}
}

func TestIndexPage(t *testing.T) {
	t.Parallel()
	w := ask(t, newServer(t, &fake{}), "GET", "/", "")
	body := w.Body.String()
	if w.Code != 200 || !strings.Contains(body, "kilim v1 &lt;&amp;&gt;") || strings.Contains(body, "<&>") {
		t.Errorf("status %d:\n%s", w.Code, body)
	}
	if ct := w.Result().Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/html") {
		t.Errorf("content type %q", ct)
	}
}

func TestStatusIsSnakeCase(t *testing.T) {
	t.Parallel()
	w := ask(t, newServer(t, &fake{}), "GET", "/api/v1/status", "")
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"ready", "version", "uptime_seconds", "artifacts", "placeholders", "nodes", "edges", "assigned", "lag",
		"refresh_queue", "refresh_oldest_age_seconds", "outbox", "epoch", "revision", "index", "records"} {
		if _, ok := got[key]; !ok {
			t.Errorf("no %q in %s", key, w.Body)
		}
	}
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	f := &fake{}
	s := newServer(t, f)
	w := ask(t, s, http.MethodPost, "/api/v1/evaluate?list=general", `{"id":"a","theme":{"x":["y"]}}`)
	var got eval.Report
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || got.List != "general" || got.Queries != 3 {
		t.Errorf("%d %s %v", w.Code, w.Body, err)
	}
	if f.lastAsked() != "evaluate general by [a]" {
		t.Errorf("asked %q", f.lastAsked())
	}
	for target, c := range map[string]struct{ body, want string }{
		"/api/v1/evaluate":           {"", "the truth is empty"},
		"/api/v1/evaluate?list=best": {"{}", `list "best"`},
		"/api/v1/evaluate?k=3":       {"{}", `parameter "k"`},
	} {
		w := ask(t, s, http.MethodPost, target, c.body)
		if text := errorText(t, w); w.Code != http.StatusBadRequest || !strings.Contains(text, c.want) {
			t.Errorf("%s: %d %s", target, w.Code, text)
		}
	}
}
