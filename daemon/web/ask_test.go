package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"kilim/consumer/profile"
)

// sent is a part of a form; with a file's name it is a file.
type sent struct{ name, file, body string }

func form(t testing.TB, parts ...sent) (kind string, body []byte) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for _, p := range parts {
		create := w.CreateFormField
		if p.file != "" {
			create = func(name string) (io.Writer, error) { return w.CreateFormFile(name, p.file) }
		}
		part, err := create(p.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write([]byte(p.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), out.Bytes()
}

// askWith posts a body of a kind.
func askWith(s http.Handler, target, kind string, body []byte, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, bytes.NewReader(body))
	r.Host = "localhost"
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

const (
	aPNG = "\x89PNG\r\n\x1a\n and so on"
	aWAV = "RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00"
)

// TestAsk: what a form has in texts, files and fields becomes one artifact, media after those of the fields; what can't be one is refused by
// what the client calls it, before the service is asked.
func TestAsk(t *testing.T) {
	t.Parallel()
	svg := `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`
	many := slices.Repeat([]sent{{"text", "", "a"}}, askParts+1)
	for _, c := range []struct {
		what  string
		parts []sent
		code  int
		asked string
		text  string
	}{
		{"a text", []sent{{"text", "", "a star"}}, 200, `ask "" with 1 media 10`, "lists"},
		{"a picture", []sent{{"file", "a.svg", aPNG}}, 200, `ask "" with 1 media 10`, ""},
		{"all", []sent{{"file", "a", aWAV}, {"record", "", `{"title":"x","id":"me","media":[{"kind":"text","text":"y"}]}`}, {"text", "", "z"}}, 200, `ask "me" with 3 media 10`, ""},
		{"no media", []sent{{"record", "", `{"culture":"x"}`}}, 200, `ask "" with 0 media 10`, ""},
		{"fields of nothing beside a text", []sent{{"record", "", `{"title":""}`}, {"text", "", "z"}}, 200, `ask "" with 1 media 10`, ""},
		{"nothing", nil, 400, "", "empty query"},
		{"fields of nothing", []sent{{"record", "", `{"title":""}`}}, 400, "", "empty query"},
		{"an SVG", []sent{{"file", "x.png", svg}}, 415, "", "x.png: no picture or recording"},
		{"HTML", []sent{{"file", "x<b>\u202e.wav", "<!DOCTYPE html><script>alert(1)</script>"}}, 415, "", "x<b>.wav: no picture or recording"},
		{"an empty file", []sent{{"file", "x", ""}}, 415, "", "x: no picture"},
		{"a text that is none", []sent{{"text", "", "\xff"}}, 400, "", "UTF-8"},
		{"a record that is none", []sent{{"record", "", "[]"}}, 400, "", "record"},
		{"two records", []sent{{"record", "", `{"title":"x"}`}, {"record", "", `{"title":"x"}`}}, 400, "", "want one record"},
		{"another part", []sent{{"picture", "x", aPNG}}, 400, "", `part \"picture\"`},
		{"too many", many, 400, "", "more than 8"},
		{"a long text", []sent{{"text", "", strings.Repeat("x", 1<<20+1)}}, 413, "", "text has more than 1048576 bytes"},
		{"a long title", []sent{{"record", "", `{"title":"` + strings.Repeat("x", 1<<20) + `"}`}}, 413, "", "record has more than"},
		{"a long name", []sent{{"file", strings.Repeat("x", 1<<20), svg}}, 415, "", `{"error":"` + strings.Repeat("x", 80) + `…: no picture`},
		{"large files", []sent{{"file", "a", aPNG + strings.Repeat("x", askBytes/2)}, {"file", "b", aPNG + strings.Repeat("x", askBytes/2)}}, 413, "", "larger than 16777216 bytes"},
	} {
		f := &fake{}
		kind, body := form(t, c.parts...)
		w := askWith(newServer(t, f), "/api/v1/ask", kind, body)
		if w.Code != c.code || f.lastAsked() != c.asked || !strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%s: %d %.200s, the service was asked %q; want %d, %q", c.what, w.Code, w.Body, f.lastAsked(), c.code, c.asked)
		}
		if c.what == "all" {
			if a := f.last; a.Title != "x" || a.Media[1].Kind != profile.Audio || string(a.Media[1].Data) != aWAV || a.Media[2].Text != "z" {
				t.Errorf("%+v", a)
			}
		}
	}
}

// TestAskOtherwise: JSON is understood too, other bodies and pages of other sites are refused, and a medium that can't be used is told by its
// file's name.
func TestAskOtherwise(t *testing.T) {
	t.Parallel()
	f := &fake{}
	s := newServer(t, f)
	kind, body := form(t, sent{"text", "", "before"}, sent{"file", "cut.jpg", aPNG})
	picture := `{"title":"x","media":[{"kind":"image","data":"` + base64.StdEncoding.EncodeToString([]byte(aPNG)) + `"}]}`
	for _, c := range []struct {
		target, kind, body string
		header             []string
		code               int
		text               string
	}{
		{"?k=3", "application/json; charset=utf-8", picture, nil, 200, ""},
		{"", "application/json", `{"title":""}`, nil, 400, "empty query"},
		{"", "application/json", `{"title":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, "larger"},
		{"", "text/plain", "a star", nil, 415, "text/plain"},
		{"", "", "a star", nil, 415, "content type"},
		{"", "multipart/form-data", "a star", nil, 400, "boundary"},
		{"", kind, string(body[:len(body)-20]), nil, 400, "EOF"},
		{"?list=total", kind, string(body), nil, 400, `parameter \"list\"`},
		{"?k=0", kind, string(body), nil, 400, "k"},
		{"", kind, string(body), []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"", kind, string(body), []string{"Origin", "https://evil.example"}, 403, ""},
		{"", kind, string(body), []string{"Sec-Fetch-Site", "same-origin"}, 200, ""},
	} {
		f.asked = nil
		w := askWith(s, "/api/v1/ask"+c.target, c.kind, []byte(c.body), c.header...)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.text) || (len(f.asked) > 0) != (c.code == 200) {
			t.Errorf("%s %.40s: %d %.200s, asked %q; want %d", c.target, c.body, w.Code, w.Body, f.asked, c.code)
		}
	}
	for place, want := range map[int]string{1: "cut.jpg: cut off", 7: "medium 8: cut off"} {
		f.fail = func(string) error { return fmt.Errorf("ask: %w", &UnfitMediumError{place, "cut off"}) }
		if w := askWith(s, "/api/v1/ask", kind, body); w.Code != 415 || errorText(t, w) != want {
			t.Errorf("%d %s, want %q", w.Code, w.Body, want)
		}
	}
}

// TestAskTakesTurns: so many are asked at once, and together with the other searches no more.
func TestAskTakesTurns(t *testing.T) {
	t.Parallel()
	kind, body := form(t, sent{"text", "", "a star"})
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		s := newServer(t, &fake{blocks: func(context.Context) { <-leave }})
		done := make(chan int, asksAtOnce)
		for range asksAtOnce {
			go func() { done <- askWith(s, "/api/v1/ask", kind, body).Code }()
		}
		synctest.Wait()
		for _, w := range []*httptest.ResponseRecorder{askWith(s, "/api/v1/ask", kind, body), ask(t, s, http.MethodPost, "/api/v1/similar", `{"title":"a"}`)} {
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "10" {
				t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
			}
		}
		close(leave)
		for range asksAtOnce {
			if code := <-done; code != 200 {
				t.Errorf("status %d", code)
			}
		}
		if w := askWith(s, "/api/v1/ask", kind, body); w.Code != 200 {
			t.Errorf("status %d, the turns did not end", w.Code)
		}
	})
}

// FuzzAsk: whatever is posted is answered, with 200 or with a fault of the client's.
func FuzzAsk(f *testing.F) {
	_, body := form(f, sent{"text", "", "a"}, sent{"file", "b", aPNG}, sent{"record", "", `{"title":"c"}`})
	boundary := string(bytes.SplitN(body[2:], []byte("\r\n"), 2)[0])
	f.Add("multipart/form-data; boundary="+boundary, body)
	f.Add("application/json", []byte(`{"title":"a"}`))
	f.Add("multipart/form-data; boundary=a", []byte("--a\r\nContent-Disposition: form-data; name=file; filename=\"\r\n\r\n--a--"))
	s := newServer(f, &fake{})
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		if w := askWith(s, "/api/v1/ask", kind, body); w.Body.Len() == 0 || w.Code != 200 && (w.Code < 400 || w.Code > 499) {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
}
