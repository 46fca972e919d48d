package page

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func newPage(t *testing.T) *Page {
	t.Helper()
	p, err := New(`v1 <&>"`)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func get(t *testing.T, p *Page, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r, w := httptest.NewRequest(http.MethodGet, path, nil), httptest.NewRecorder()
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if !p.Serve(w, r) {
		t.Fatalf("%s: there is no such file", path)
	}
	return w
}

// TestSize: a browser is sent less than 50 KB for the page.
func TestSize(t *testing.T) {
	t.Parallel()
	total := 0
	for _, f := range newPage(t).files {
		total += len(f.packed)
	}
	t.Logf("%d bytes packed", total)
	if total >= 50_000 {
		t.Errorf("the page has %d bytes packed, want less than 50,000", total)
	}
}

// TestFiles: each file comes packed or plain, with what keeps a browser from doing more with it, and is not sent twice.
func TestFiles(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	for path, f := range p.files {
		plain, packed := get(t, p, path), get(t, p, path, "Accept-Encoding", "br, gzip;q=0.5")
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil || string(text) != plain.Body.String() || packed.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: packed is another than plain (%v)", path, err)
		}
		for name, want := range map[string]string{"Content-Security-Policy": Policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Type": f.kind} {
			if got := packed.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if w := get(t, p, path, "Accept-Encoding", "gzip", "If-None-Match", packed.Header().Get("ETag")); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
			t.Errorf("%s: %d, %d bytes when the browser has it", path, w.Code, w.Body.Len())
		}
		if w := get(t, p, path, "Accept-Encoding", "gzip;q=0"); w.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: packed though it is refused", path)
		}
	}
	if p.Serve(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/page/../page.go", nil)) {
		t.Error("a file that is none of the page's was served")
	}
}

// TestNothingUnsafe: the policy allows no inline script or style, and no file has or makes one, or asks another host.
func TestNothingUnsafe(t *testing.T) {
	t.Parallel()
	if strings.Contains(Policy, "unsafe") || !strings.HasPrefix(Policy, "default-src 'none'") {
		t.Errorf("the policy is %q", Policy)
	}
	for path, f := range newPage(t).files {
		text := strings.ReplaceAll(string(f.plain), "http://www.w3.org/2000/svg", "")
		for what, pattern := range map[string]string{
			"HTML from a text":     `innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment`,
			"a script from a text": `\beval\b|new Function|setTimeout\("`,
			"an inline script":     `<script>|<script [^>]*>[^<]|\son[a-z]+="`,
			"an inline style":      `<style|\sstyle="`,
			"another host":         `https?://|//[a-z]+\.[a-z]|@import`,
		} {
			if found := regexp.MustCompile(pattern).FindString(text); found != "" {
				t.Errorf("%s has %s: %q", path, what, found)
			}
		}
	}
}

func TestVersionIsEscaped(t *testing.T) {
	t.Parallel()
	if body := get(t, newPage(t), "/").Body.String(); !strings.Contains(body, "kilim v1 &lt;&amp;&gt;&#34;") {
		t.Error(body)
	}
}
