package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestTitles: a daemon is asked once for each artifact, and not at all for a while when it does not answer.
func TestTitles(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	broken := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.EscapedPath()]++
		switch {
		case broken:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.EscapedPath() == "/api/v1/artifacts/a%2Fb/card":
			fmt.Fprint(w, `{"id":"a/b","title":"A kilim"}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	found := newTitles(t.Context(), address{server.URL})
	for range 3 {
		if got := found.find([]string{"a/b", "gone"}); got["a/b"] != "A kilim" || got["gone"] != "" {
			t.Errorf("%v", got)
		}
	}
	broken = true
	for range 3 {
		found.find([]string{"c", "d"})
	}
	if fmt.Sprint(asked) != "map[/api/v1/artifacts/a%2Fb/card:1 /api/v1/artifacts/c/card:1 /api/v1/artifacts/gone/card:1]" {
		t.Errorf("asked %v", asked)
	}
}
