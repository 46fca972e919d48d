package web

import (
	"net/http"
	"strings"
	"testing"
)

// TestSlowest: all that are known, those since a time, and times that are none.
func TestSlowest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query, asked string
		status       int
	}{
		{"", "slowest since 0001-01-01T00:00:00Z", http.StatusOK},
		{"?since=2026-11-30T12:00:00Z", "slowest since 2026-11-30T12:00:00Z", http.StatusOK},
		{"?since=yesterday", "", http.StatusBadRequest},
		{"?until=2026-11-30T12:00:00Z", "", http.StatusBadRequest},
	} {
		f := &fake{}
		w := ask(t, newServer(t, f), "GET", "/api/v1/slowest"+c.query, "")
		if w.Code != c.status || f.lastAsked() != c.asked {
			t.Errorf("%q: status %d, asked %q; want %d, %q", c.query, w.Code, f.lastAsked(), c.status, c.asked)
		}
		if c.status == http.StatusOK && !strings.Contains(w.Body.String(), `"stage_seconds":{"commit":0.125}`) {
			t.Errorf("%q: %s", c.query, w.Body)
		}
	}
}
