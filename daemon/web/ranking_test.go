package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestLearnedOrder: total is in the learned order while one serves, all other lists never.
func TestLearnedOrder(t *testing.T) {
	t.Parallel()
	learned := &LearnedAnswer{List: "total", Order: LearnedOrder{Questions: 30, Best: 50}, Items: []LearnedItem{{ID: "b", Score: 0.75, Parts: map[string]float64{"stated": 1, "title_equal": -0.25}}}}
	for _, c := range []struct{ method, target, body, stated, learned string }{
		{"GET", "/api/v1/artifacts/a%2Fb/similar", "", `similar "a/b" total 10`, `learned "a/b" 10`},
		{"GET", "/api/v1/artifacts/a/similar?list=total&k=200", "", `similar "a" total 200`, `learned "a" 200`},
		{"GET", "/api/v1/artifacts/a/similar?list=general", "", `similar "a" general 10`, `similar "a" general 10`},
		{"GET", "/api/v1/artifacts/a/similar?weights=x:1", "", `similar "a" by map[x:1] 10`, `similar "a" by map[x:1] 10`},
		{"GET", "/api/v1/artifacts/a/similar?list=theme:x", "", `similar "a" theme:x 10`, `similar "a" theme:x 10`},
		{"POST", "/api/v1/similar?k=3", `{"title":"Rug"}`, `similar to "" total 3`, `learned what is like "" 3`},
		{"GET", "/api/v1/ranking", "", "ranking", "ranking"},
	} {
		for _, f := range []*fake{{}, {learned: learned}} {
			want := c.stated
			if f.learned != nil {
				want = c.learned
			}
			w := ask(t, newServer(t, f), c.method, c.target, c.body)
			if w.Code != http.StatusOK || f.lastAsked() != want {
				t.Errorf("%s: status %d, asked %s, want %s", c.target, w.Code, f.lastAsked(), want)
			}
			if strings.HasPrefix(want, "learned") && !strings.Contains(w.Body.String(), `"title_equal":-0.25`) {
				t.Errorf("%s: %s", c.target, w.Body)
			}
			if c.method == "POST" && !strings.Contains(w.Body.String(), `"id":"query"`) {
				t.Errorf("%s: %s", c.target, w.Body)
			}
		}
	}
	f := &fake{learned: learned, fail: func(string) error { return errors.New("inner") }}
	if w := ask(t, newServer(t, f), "GET", "/api/v1/artifacts/a/similar", ""); w.Code != http.StatusInternalServerError || strings.Contains(f.lastAsked(), "similar") {
		t.Errorf("status %d, asked %s", w.Code, f.lastAsked())
	}
	if w := ask(t, newServer(t, &fake{}), "GET", "/api/v1/ranking?x=1", ""); w.Code != http.StatusBadRequest {
		t.Errorf("a parameter that is not known: status %d", w.Code)
	}
}
