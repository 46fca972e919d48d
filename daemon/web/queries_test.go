package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"kilim/daemon/queries"
)

func TestStandingQueries(t *testing.T) {
	t.Parallel()
	f := &fake{fail: func(name string) error {
		switch name {
		case "down":
			return fmt.Errorf("%w: the brokers do not answer", ErrUnavailable)
		case "full":
			return fmt.Errorf("%w: there are 256", ErrConflict)
		}
		return nil
	}}
	s := newServer(t, f)
	const path = "/api/v1/queries"
	add := func(name string) string {
		return fmt.Sprintf(`{"name":%q,"record":{"title":"A horse"},"by":"Ada"}`, name)
	}
	for _, c := range []struct {
		method, path, body string
		code               int
		asked, answer      string
	}{
		{http.MethodGet, path, "", 200, `standing queries`, `{"queries":[],"complete":true,"most":256}`},
		{http.MethodPost, path, add("horses"), 200, `add "horses";standing query "horses"`, `{"name":"horses","by":"Ada","record":{"title":"A horse"}}`},
		{http.MethodGet, path, "", 200, `standing queries`, `{"queries":[{"name":"horses","by":"Ada"}],`},
		{http.MethodGet, path + "/horses", "", 200, `standing query "horses"`, `"record":{"title":"A horse"}`},
		{http.MethodGet, path + "/nobody", "", 404, `standing query "nobody"`, ""},
		{http.MethodGet, path + "/A%2FB", "", 400, "", `name: \"A/B\"`},
		{http.MethodGet, path + "/a/b", "", 404, "", "is not known"},
		{http.MethodGet, path + "?x=1", "", 400, "", `parameter \"x\"`},
		{http.MethodPost, path, add("Horses"), 400, "", `name: \"Horses\"`},
		{http.MethodPost, path, `{"name":"a","record":{}}`, 400, "", "record: "},
		{http.MethodPost, path, `{"name":"a","record":{"id":"x"}}`, 400, "", "an empty query"},
		{http.MethodPost, path, `{"name":"a"}`, 400, "", "record: is missing"},
		{http.MethodPost, path, `{"name":"a","record":{"title":7}}`, 400, "", "title"},
		{http.MethodPost, path, "", 400, "", "query"},
		{http.MethodPost, path, strings.Repeat(" ", queries.MostBody+1), 413, "", ""},
		{http.MethodPost, path, add("down"), 503, `add "down"`, "brokers"},
		{http.MethodPost, path, add("full"), 409, `add "full"`, "there are 256"},
		{http.MethodDelete, path + "/horses", "", 204, `remove "horses"`, ""},
		{http.MethodDelete, path + "/down", "", 503, `remove "down"`, "brokers"},
		{http.MethodDelete, path, "", 405, "", "POST"},
		{http.MethodPut, path + "/horses", "", 405, "", "DELETE"},
	} {
		f.asked = nil
		w := ask(t, s, c.method, c.path, c.body)
		if w.Code != c.code || strings.Join(f.asked, ";") != c.asked || !strings.Contains(w.Body.String(), c.answer) {
			t.Errorf("%s %s %.80s: %d %s, the service was asked %q; want %d, %q", c.method, c.path, c.body, w.Code, w.Body, f.asked, c.code, c.asked)
		}
	}
}
