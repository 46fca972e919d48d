package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kilim/daemon/judgments"
)

func TestJudgments(t *testing.T) {
	t.Parallel()
	f := &fake{judged: []judgments.Judgment{{A: "a", B: "b", Grade: 2, By: "Ada"}}, fail: func(id string) error {
		if id == "down" {
			return fmt.Errorf("%w: the brokers do not answer", ErrUnavailable)
		}
		return nil
	}}
	s := newServer(t, f)
	const path = "/api/v1/judgments"
	for _, c := range []struct {
		method, path, body string
		code               int
		asked, answer      string
	}{
		{http.MethodGet, path, "", 200, `judgments of ""`, `{"judgments":[{"a":"a","b":"b","grade":2,"by":"Ada"}]}`},
		{http.MethodGet, path + "?id=a%2Fb", "", 200, `judgments of "a/b"`, "judgments"},
		{http.MethodGet, path + "?id=", "", 400, "", "id is empty"},
		{http.MethodGet, path + "?x=1", "", 400, "", `parameter \"x\"`},
		{http.MethodPost, path, `{"b":"a","a":"b","grade":1.5,"theme":"craft","by":"Ada"}`, 200, "judge a|b|craft 1.5 by Ada", `"a":"a","b":"b"`},
		{http.MethodPost, path, `{"a":"a","b":"b","grade":-1,"by":"Ada"}`, 400, "", "grade: -1"},
		{http.MethodPost, path, `{"a":"a","b":"b","grade":1}`, 400, "", "by:"},
		{http.MethodPost, path, "", 400, "", "judgment"},
		{http.MethodPost, path, strings.Repeat(" ", judgmentBytes+1), 413, "", ""},
		{http.MethodPost, path, `{"a":"down","b":"e","grade":1,"by":"Ada"}`, 503, "judge down|e 1 by Ada", "brokers"},
		{http.MethodDelete, path + "?a=b&b=a&theme=craft", "", 204, "unjudge a b craft", ""},
		{http.MethodDelete, path + "?a=b", "", 400, "", "b"},
		{http.MethodDelete, path + "?a=b&b=b", "", 400, "", "is a, too"},
		{http.MethodPut, path, "", 405, "", "DELETE"},
	} {
		f.asked = nil
		w := ask(t, s, c.method, c.path, c.body)
		if w.Code != c.code || strings.Join(f.asked, ";") != c.asked || !strings.Contains(w.Body.String(), c.answer) {
			t.Errorf("%s %s %.80s: %d %s, the service was asked %q; want %d, %q", c.method, c.path, c.body, w.Code, w.Body, f.asked, c.code, c.asked)
		}
	}
	f.judged = nil
	if w := ask(t, s, http.MethodGet, path, ""); strings.TrimSpace(w.Body.String()) != `{"judgments":[]}` {
		t.Errorf("none: %s", w.Body)
	}
}

// Whoever may reach a daemon without a password beyond loopback may read judgments, and not write them.
func TestWhoMayJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at       string
		password bool
		may      bool
	}{
		{"127.0.0.1:1", false, true}, {"[::1]:1", false, true}, {"[::ffff:127.0.0.1]:1", false, true},
		{"192.0.2.7:1", false, false}, {"[2001:db8::1]:1", false, false}, {"192.0.2.7:1", true, true},
	} {
		cfg := Config{Addr: "127.0.0.1:0"}
		if c.password {
			cfg.WebConfigFile = "web.yml"
		}
		f := &fake{}
		s := serverOf(t, cfg, f)
		for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodGet} {
			r := httptest.NewRequest(method, "/api/v1/judgments?a=a&b=b", strings.NewReader(`{"a":"a","b":"b","grade":1,"by":"Ada"}`))
			if method != http.MethodDelete {
				r.URL.RawQuery = ""
			}
			r.Host = "localhost"
			addr, err := net.ResolveTCPAddr("tcp", c.at)
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			f.asked = nil
			s.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(addr))))
			if may := c.may || method == http.MethodGet; (w.Code/100 == 2) != may || (len(f.asked) == 1) != may || !may && w.Code != http.StatusForbidden {
				t.Errorf("%s at %s, password %v: %d %s, asked %q", method, c.at, c.password, w.Code, w.Body, f.asked)
			}
		}
	}
}
