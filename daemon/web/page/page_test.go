package page

import (
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
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

// TestSize: a browser is sent less than 60 KB of the page's own, and less than 200 KB in all.
func TestSize(t *testing.T) {
	t.Parallel()
	own, all := 0, 0
	for at, f := range newPage(t).files {
		all += len(f.packed)
		if at == "/" || strings.Count(at, "/") == 2 {
			own += len(f.packed)
		}
	}
	t.Logf("%d bytes packed, %d of them the page's own", all, own)
	if own >= 60_000 || all >= 200_000 {
		t.Errorf("the page has %d bytes packed, want less than 60,000; with the parts of others %d, want less than 200,000", own, all)
	}
}

// TestVendored: the parts of others are the files that the README names, to the bit, each beside its licence.
func TestVendored(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("vendored/README.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^    ([0-9a-f]{64})  (\S+)$`).FindAllSubmatch(readme, -1) {
		named[string(m[2])] = string(m[1])
	}
	there := 0
	if err := fs.WalkDir(files, "vendored", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == explained {
			return err
		}
		there++
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(text)); named[strings.TrimPrefix(name, "vendored/")] != sum {
			t.Errorf("%s has the hash %s, the README says %q", name, sum, named[strings.TrimPrefix(name, "vendored/")])
		}
		_, err = fs.Stat(files, path.Dir(name)+"/LICENSE")
		return err
	}); err != nil {
		t.Error(err)
	}
	if there == 0 || there != len(named) {
		t.Errorf("%d files are there, %d are named", there, len(named))
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

// TestModules: the document names each module that is there, but its own script and those that are asked for when they are needed.
func TestModules(t *testing.T) {
	t.Parallel()
	p := newPage(t)
	text := get(t, p, "/").Body.String()
	late := map[string]bool{Prefix + "main.js": true, Prefix + "wave.js": true, Prefix + "zoom.js": true}
	for path := range p.files {
		if strings.HasSuffix(path, ".js") && strings.Count(path, "/") == 2 && strings.Contains(text, `rel="modulepreload" href="`+path+`"`) == late[path] {
			t.Errorf("%s is named, or is not: %s", path, text[:800])
		}
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
		if strings.Count(path, "/") > 2 { // others name addresses in comments, and licences are all comment
			text = regexp.MustCompile(`(?m)(^|\s)//.*$|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/`).ReplaceAllString(text, "")
			if strings.HasSuffix(path, "LICENSE") {
				continue
			}
		}
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
