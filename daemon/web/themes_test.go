package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestThemes: what reaches the Service of a request about themes, and what is refused before.
func TestThemes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, target, body string
		code                 int
		want                 string // what was asked, or a part of the error
	}{
		{"GET", "/api/v1/artifacts/a%2Fb/similar?list=theme:x%20y", "", 200, `similar "a/b" theme:x y 10`},
		{"GET", "/api/v1/artifacts/a/similar?list=theme:theme:x&k=200", "", 200, `similar "a" theme:theme:x 200`},
		{"POST", "/api/v1/similar?list=theme:x&k=3", `{"title":"Rug"}`, 200, `similar what is like "" theme:x 3`},
		{"GET", "/api/v1/artifacts/a/similar?weights=music:1,craft:0.2", "", 200, `similar "a" by map[craft:0.2 music:1] 10`},
		{"GET", "/api/v1/artifacts/a/similar?list=total&weights=" + url.QueryEscape("emotions, concepts: and ideas:-.5,a:1:2"), "", 200, `similar "a" by map[a:1:2 emotions, concepts: and ideas:-0.5] 10`},
		{"GET", "/api/v1/artifacts/a/similar?weights=auto", "", 200, `similar "a" by map[] 10`},
		{"POST", "/api/v1/similar?weights=x:1", `{"title":"Rug","id":"q"}`, 200, `similar what is like "q" by map[x:1] 10`},
		{"GET", "/api/v1/artifacts/a/similar?list=general&weights=x:1", "", 400, "for the list total"},
		{"GET", "/api/v1/artifacts/a/similar?weights=", "", 400, "want NAME:WEIGHT"},
		{"GET", "/api/v1/artifacts/a/similar?weights=x", "", 400, "want NAME:WEIGHT"},
		{"GET", "/api/v1/artifacts/a/similar?weights=:1", "", 400, "want NAME:WEIGHT"},
		{"GET", "/api/v1/artifacts/a/similar?weights=x:NaN", "", 400, "from -1000 to 1000"},
		{"GET", "/api/v1/artifacts/a/similar?weights=x:1e9", "", 400, "from -1000 to 1000"},
		{"GET", "/api/v1/artifacts/a/similar?weights=x:1,x:2", "", 400, "given twice"},
		{"GET", "/api/v1/artifacts/a/similar?weights=x:1,", "", 200, `similar "a" by map[x:1] 10`},
		{"GET", "/api/v1/artifacts/a/similar?weights=" + strings.Repeat("x:1,", 40), "", 400, "given twice"},
		{"GET", "/api/v1/themes", "", 200, "themes"},
		{"POST", "/api/v1/themes", `{"name":"craft","weak":["technique"]}`, 202, "themes"},
		{"POST", "/api/v1/themes", `{"name":"craft","week":[]}`, 400, "week"},
		{"POST", "/api/v1/themes", `{"name":"craft"} {}`, 400, "more than one"},
		{"POST", "/api/v1/themes", ``, 400, "body"},
		{"POST", "/api/v1/themes", `{"name":"` + strings.Repeat("x", declarationBytes) + `"}`, 413, "larger than"},
		{"GET", "/api/v1/themes?x=1", "", 400, `"x"`},
		{"DELETE", "/api/v1/themes", "", 405, "only POST and GET"},
	} {
		f := &fake{}
		w := ask(t, newServer(t, f), c.method, c.target, c.body)
		if w.Code != c.code {
			t.Errorf("%s %s: status %d: %s", c.method, c.target, w.Code, w.Body)
			continue
		}
		got := f.lastAsked()
		if c.code >= 300 {
			if got != "" {
				t.Errorf("%s: the service was asked: %s", c.target, got)
			}
			got = errorText(t, w)
			if !strings.Contains(got, c.want) {
				t.Errorf("%s: %s", c.target, got)
			}
		} else if got != c.want {
			t.Errorf("%s: asked %s, want %s", c.target, got, c.want)
		}
		if c.method == "POST" && strings.HasPrefix(c.target, "/api/v1/similar") && c.code == 200 && !strings.Contains(w.Body.String(), `"id":"q`) {
			t.Errorf("%s: %s", c.target, w.Body)
		}
	}
	f := &fake{fail: func(id string) error {
		switch id {
		case "unknown":
			return fmt.Errorf("%w: there are craft, music", ErrUnknownList)
		case "early":
			return fmt.Errorf("%w: fitting", ErrUnavailable)
		}
		return errors.New("inner")
	}}
	s := newServer(t, f)
	for id, code := range map[string]int{"unknown": http.StatusNotFound, "early": http.StatusServiceUnavailable, "other": http.StatusInternalServerError} {
		if w := ask(t, s, "GET", "/api/v1/artifacts/"+id+"/similar?list=theme:x", ""); w.Code != code {
			t.Errorf("%s: status %d", id, w.Code)
		}
	}
}

// FuzzWeights: whatever stands there is refused or read, and what is read is within the bounds.
func FuzzWeights(f *testing.F) {
	for _, seed := range []string{"music:1,craft:0.2", ":", "a:b:3", "a,b:1", ",,,:1", "x:1,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		weights, err := parseWeights(&url.URL{RawQuery: url.Values{"weights": {text}}.Encode()})
		if (err == nil) == (len(weights) == 0) || len(weights) > mostWeights {
			t.Fatalf("%q: %v, %v", text, weights, err)
		}
		for name, w := range weights {
			if name == "" || !(w >= -mostWeight && w <= mostWeight) {
				t.Fatalf("%q: %q has %v", text, name, w)
			}
		}
	})
}
