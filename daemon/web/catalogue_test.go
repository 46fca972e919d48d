package web

import (
	"bufio"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"kilim/daemon/browse"
	"kilim/daemon/browse/live"
	"kilim/daemon/web/page"
	"kilim/rerank"
	"kilim/rerank/publish"
)

// TestCatalogue asks for what the page does.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	f := &fake{fail: func(id string) error {
		switch id {
		case "none":
			return fmt.Errorf("%w: artifact %q", ErrNotFound, id)
		case "svg":
			return fmt.Errorf("%w: no picture", ErrUnfit)
		}
		return nil
	}}
	s := newServer(t, f)
	const path = "/api/v1/artifacts/"
	for _, c := range []struct {
		target string
		code   int
		asked  string
		body   string // a part of it
	}{
		{"/api/v1/lists", 200, "lists", `{"lists":[{"name":"general"}]}`},
		{"/api/v1/lists?x=1", 400, "", `parameter \"x\"`},
		{path + "a%2Fb/view", 200, `view "a/b" 10`, `"card":{"id":"a/b"`},
		{path + "a/view?k=3", 200, `view "a" 3`, ""},
		{path + "a/view?k=201", 400, "", "k"},
		{path + "a/view?list=total", 400, "", "list"},
		{path + "a/list?list=theme:x&k=3", 200, `list "a" "theme:x" map[] 3`, `{"name":"theme:x"`},
		{path + "a/list?weights=x:1,y:-0.5", 200, `list "a" "total" map[x:1 y:-0.5] 10`, ""},
		{path + "a/list?weights=x", 400, "", "weights"},
		{path + "a/list?list=theme:x&weights=x:1", 400, "", "are for the list total"},
		{path + "a/list?list=best", 400, "", "best"},
		{path + "none/view", 404, `view "none" 10`, "none"},
		{path + "a/card", 200, `card "a"`, `{"id":"a","title":""}`},
		{path + "/card", 400, "", "empty"},
		{path + "a/why?with=b%20c", 200, `why "a" "b c"`, "shared"},
		{path + "a/why", 400, "", "empty"},
		{path + "a/history", 200, `history "a" total 0001-01-01T00:00:00Z`, "known_since"},
		{path + "b%20c/history?list=general&since=2026-11-01", 200, `history "b c" general 2026-11-01T00:00:00Z`, "turns"},
		{path + "a/history?since=2026-11-01T12:00:00.5%2B02:00", 200, `history "a" total 2026-11-01T10:00:00.5Z`, "turns"},
		{path + "a/history?since=yesterday", 400, "", `since \"yesterday\": want a date`},
		{path + "a/history?since=", 400, "", `since \"\": want a date`},
		{path + "a/history?list=theme:craft", 200, `history "a" theme:craft 0001-01-01T00:00:00Z`, "turns"},
		{path + "a/history?k=3", 400, "", "not known"},
		{path + "a/why?with=b&with=c", 400, "", "2 times"},
		{path + "a/media/3", 200, `medium "a" 3`, "0123456789"},
		{path + "svg/media/0", 415, `medium "svg" 0`, "no picture"},
		{path + "a/media/-1", 400, "", "place"},
		{path + "a/media/x", 400, "", "place"},
		{path + "a/media/", 400, "", "place"},
		{path + "a/media/99999", 400, "", "place"},
		{path + "a/media/0/picture", 200, `picture "a" 0 256`, ""},
		{path + "a%2Fmedia%2F7/media/0/picture?side=1024", 200, `picture "a/media/7" 0 1024`, ""},
		{path + "a/media/0/picture?side=4000", 400, "", "side"},
		{path + "a/media/0/else", 404, "", "path"},
		{"/api/v1/search", 200, "search {Words: Fields:map[culture: period: type:] Media:[] After: Limit:10}", `"items":[{"id":"a"`},
		{"/api/v1/search?q=red+kilim&culture=x&has=picture,sound&after=b&k=48", 200, "search {Words:red kilim Fields:map[culture:x period: type:] Media:[image audio] After:b Limit:48}", ""},
		{"/api/v1/search?has=smell", 400, "", "smell"},
		{"/api/v1/search?k=0", 400, "", "k"},
		{"/api/v1/search?words=x", 400, "", "words"},
		{"/api/v1/search?q=" + strings.Repeat("x", queryBytes+1), 400, "", "1024"},
		{"/api/v1/search/values", 200, "values", ""},
		{page.Prefix + "main.js", 200, "", "import"},
		{page.Prefix + "nothing.js", 404, "", "path"},
		{page.Prefix + "../../etc/passwd", 404, "", "path"},
	} {
		f.asked = nil
		w := ask(t, s, http.MethodGet, c.target, "")
		if w.Code != c.code || strings.Join(f.asked, ";") != c.asked || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%.80s: %d %.200s, the service was asked %q; want %d, %q", c.target, w.Code, w.Body, f.asked, c.code, c.asked)
		}
		if w := ask(t, s, http.MethodPost, c.target, "{}"); w.Code != 405 && w.Code != 404 {
			t.Errorf("POST %.80s: %d", c.target, w.Code)
		}
	}
}

// TestMediaAreHarmless: a browser that is given a medium takes it for nothing else, and does nothing with it.
func TestMediaAreHarmless(t *testing.T) {
	t.Parallel()
	s := newServer(t, &fake{})
	for _, path := range []string{"/api/v1/artifacts/a/media/0", "/api/v1/artifacts/a/media/0/picture"} {
		h := ask(t, s, http.MethodGet, path, "").Result().Header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox", "Cross-Origin-Resource-Policy": "same-origin", "Accept-Ranges": "bytes",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
	}
}

// looking opens the stream of what changes, after an event.
func looking(t *testing.T, s *Server, after string) (*http.Response, *bufio.Reader) {
	t.Helper()
	return lookingAt(t, s, after, "")
}

// lookingAt does so with parameters.
func lookingAt(t *testing.T, s *Server, after, query string) (*http.Response, *bufio.Reader) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr().String()+"/api/v1/live"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if after != "" {
		r.Header.Set("Last-Event-ID", after)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res, bufio.NewReader(res.Body)
}

// event reads the next event of a stream: its id and what it says.
func event(t *testing.T, r *bufio.Reader) (id, data string) {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch {
		case name == "id":
			id = value
		case name == "data":
			data = value
		case line == "\n" && data != "":
			return id, data
		}
	}
}

type noCards struct{}

func (noCards) Cards([]string) (map[string]browse.Card, error) { return nil, nil }

// TestLive: who looks gets what is published at once, goes on after the event that he had, and does not hold up a stop.
func TestLive(t *testing.T) {
	t.Parallel()
	hub, err := live.New(noCards{}, rerank.DefaultScoreWeights(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s, stop, done := start(t, Config{}, &fake{hub: hub})
	gone := func(id string) { hub.Published([]publish.Published{{Kind: rerank.KindTombstone, ID: id}}) }
	gone("a\nid: forged")
	res, r := looking(t, s, "")
	if ct := res.Header.Get("Content-Type"); !strings.HasPrefix(ct, "text/event-stream") || res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, ct)
	}
	first, data := event(t, r)
	if !strings.HasPrefix(data, `{"id":"a\nid: forged","deleted":true`) {
		t.Error(data)
	}
	gone("b")
	if _, data := event(t, r); !strings.HasPrefix(data, `{"id":"b"`) {
		t.Error(data)
	}
	_, again := looking(t, s, first)
	if _, data := event(t, again); !strings.HasPrefix(data, `{"id":"b"`) {
		t.Error(data)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := r.ReadByte(); err == nil {
		t.Error("the stream goes on after the stop")
	}
}

// TestLiveByInterest: a stream is of one artifact, or with few others, of which what is left out is counted; what is no number of others is refused.
func TestLiveByInterest(t *testing.T) {
	t.Parallel()
	hub, err := live.New(noCards{}, rerank.DefaultScoreWeights(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s, _, _ := start(t, Config{}, &fake{hub: hub})
	_, all := looking(t, s, "")
	_, one := lookingAt(t, s, "", "?id=other+7")
	_, few := lookingAt(t, s, "", "?others=0")
	const others = 200
	update := func(id string, own bool) publish.Published {
		return publish.Published{Kind: rerank.KindUpdate, ID: id, Own: own, Update: &rerank.Update{ID: id}}
	}
	messages := []publish.Published{}
	for i := range others {
		messages = append(messages, update(fmt.Sprintf("other %d", i), false))
	}
	hub.Published(append(messages, update("own", true)))
	first := func(data string) string { return strings.Split(data, `"`)[3] }
	for i := range others {
		if _, data := event(t, all); first(data) != fmt.Sprintf("other %d", i) {
			t.Fatalf("event %d is %s", i, data)
		}
	}
	if _, data := event(t, one); first(data) != "other 7" {
		t.Errorf("of other 7 comes %s", data)
	}
	// What a viewer may begin with is told, then its own alone.
	told, counted := 0, 0
	for seen := false; !seen || told+counted < others; {
		_, data := event(t, few)
		if n, err := strconv.Atoi(data); err == nil {
			counted += n
		} else if first(data) == "own" {
			seen = true
		} else {
			told++
		}
	}
	if told+counted != others || told == 0 || counted == 0 {
		t.Errorf("of %d others %d are told and %d counted", others, told, counted)
	}
	for _, query := range []string{"?others=-1", "?others=1001", "?others=x", "?id=a&id=b", "?nonsense=1"} {
		if w := ask(t, s, http.MethodGet, "/api/v1/live"+query, ""); w.Code != 400 || errorText(t, w) == "" {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

// TestTooManyLook: one more than may look is told to come again.
func TestTooManyLook(t *testing.T) {
	t.Parallel()
	s := newServer(t, &fake{fail: func(string) error { return fmt.Errorf("%w: as many as allowed", ErrUnavailable) }})
	w := ask(t, s, http.MethodGet, "/api/v1/live", "")
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || errorText(t, w) == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
