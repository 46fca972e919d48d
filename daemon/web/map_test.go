package web

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestMap(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"": `map "" 0 0`, "?edition=1796031234567&after=12": `map "" 1796031234567 12`, "?theme=religion%2C%20belief": `map "religion, belief" 0 0`,
		"/points": `map points ""`, "/colours?field=culture": `map colours "" "culture"`,
		"/points?theme=motif": `map points "motif"`, "/colours?field=culture&theme=motif": `map colours "motif" "culture"`, "/slots?theme=motif": `map slots "motif"`,
		"/point?edition=7&slot=3":        `map point {Theme: ID: Edition:7 Slot:3} "general" 10`,
		"/point?id=a%2Fb&list=total&k=5": `map point {Theme: ID:a/b Edition:0 Slot:0} "total" 5`,
		"/point?id=a&theme=motif":        `map point {Theme:motif ID:a Edition:0 Slot:0} "theme:motif" 10`,
		"/point?id=a&theme=m&list=total": `map point {Theme:m ID:a Edition:0 Slot:0} "total" 10`,
	} {
		f := &fake{}
		if w := ask(t, newServer(t, f), "GET", "/api/v1/map"+query, ""); w.Code != 200 || f.lastAsked() != want {
			t.Errorf("%q: status %d, asked %s, want %s", query, w.Code, f.lastAsked(), want)
		}
	}
	for _, query := range []string{"?edition=-1", "?edition=x", "?after=1e3", "?edition=99999999999999999999", "?k=1", "/points?k=1", "/slots?edition=1", "/slots?theme=a&theme=b", "/colours?culture=", "/point?slot=-1", "/point?slot=1&slot=2", "/point?id=a&k=0"} {
		if w := ask(t, newServer(t, &fake{}), "GET", "/api/v1/map"+query, ""); w.Code != 400 {
			t.Errorf("%q: status %d", query, w.Code)
		}
	}
	if w := ask(t, newServer(t, &fake{}), "GET", "/api/v1/map/tiles", ""); w.Code != 404 {
		t.Errorf("an unknown path: status %d", w.Code)
	}
}

// TestMapBytes: points are sent once, and colours as a line of JSON with the bytes behind it, both as what no browser takes for a document.
func TestMapBytes(t *testing.T) {
	t.Parallel()
	s := newServer(t, &fake{})
	w := ask(t, s, "GET", "/api/v1/map/points", "")
	if h := w.Header(); w.Body.Len() != 20 || h.Get("ETag") != `"7.3"` || h.Get("Content-Type") != "application/octet-stream" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d bytes, %v", w.Body.Len(), h)
	}
	r := httptest.NewRequest(http.MethodGet, "/api/v1/map/points", nil)
	r.Host = "localhost"
	r.Header.Set("If-None-Match", `"7.3"`)
	again := httptest.NewRecorder()
	if s.ServeHTTP(again, r); again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("the same points again: status %d, %d bytes", again.Code, again.Body.Len())
	}
	w = ask(t, s, "GET", "/api/v1/map/colours?field=type", "")
	line, codes, _ := strings.Cut(w.Body.String(), "\n")
	var c MapColours
	if err := json.Unmarshal([]byte(line), &c); err != nil || c.Edition != 7 || c.Values[0].Label != "<b>\n" || codes != "\x01\n\x02" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%q, %q: %v", line, codes, err)
	}
	r = httptest.NewRequest(http.MethodGet, "/api/v1/map/colours?field=type", nil)
	r.Host = "localhost"
	r.Header.Set("Accept-Encoding", "br, gzip")
	packed := httptest.NewRecorder()
	s.ServeHTTP(packed, r)
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(z); err != nil || string(all) != line+"\n"+codes || packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("Vary") != "Accept-Encoding" || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("packed: %q (%v), %v", all, err, packed.Header())
	}
}
