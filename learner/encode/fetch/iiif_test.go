package fetch

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"kilim/learner/encode/feature"
)

func TestImageRequestsAreBounded(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{ // "" for left as it is
		"https://i.org/iiif/2/abc/full/full/0/default.jpg":                   "https://i.org/iiif/2/abc/full/!1024,1024/0/default.jpg",
		"https://i.org/abc/full/max/0/default.jpg":                           "https://i.org/abc/full/!1024,1024/0/default.jpg",
		"https://i.org/a/abc/full/^max/!90.5/gray.png":                       "https://i.org/a/abc/full/!1024,1024/%2190.5/gray.png",
		"https://i.org/a/abc/square/%5Emax/0/color.tif":                      "https://i.org/a/abc/square/!1024,1024/0/color.tif",
		"https://i.org/a/ark:%2F12025%2F654xz321/10,0,5,7/max/0/bitonal.jp2": "https://i.org/a/ark:%2F12025%2F654xz321/10,0,5,7/!1024,1024/0/bitonal.jp2",
		"https://i.org/a/b%20%C3%A9/pct:1.5,0,50,50/full/0/native.jpg":       "https://i.org/a/b%20%C3%A9/pct:1.5,0,50,50/!1024,1024/0/native.jpg",
		"https://i.org/a/abc/full/400,/0/default.jpg":                        "",
		"https://i.org/a/abc/full/!200,200/0/default.jpg":                    "",
		"https://i.org/a/abc/full/pct:50/0/default.jpg":                      "",
		"https://i.org/a/abc/info.json":                                      "",
		"https://i.org/a/abc/full/full/0/default.pdf":                        "",
		"https://i.org/a/abc/full/full/x/default.jpg":                        "",
		"https://i.org/a/abc/full/full/0/default.jpg/more":                   "",
		"https://i.org/full/full/0/default.jpg":                              "",
		"https://i.org/a/abc/full/full/0/default.jpg?t=1":                    "",
		"https://i.org/a.jpg":                                                "",
	} {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if b := bounded(u); b != nil {
			got = b.String()
		}
		if got != want || u.String() != in && !strings.Contains(in, "^") {
			t.Errorf("%s becomes %q, want %q; the original is %s now", in, got, want, u)
		}
	}
}

// A server that has only the full size is asked for it; one that fails otherwise is not.
func TestServerOfFullSizesOnly(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{200: "ok", 400: "ok", 404: "ok", 501: "ok", 429: "", 503: ""} {
		var mu sync.Mutex
		var asked []string
		f, base := museum(t, 0, func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			asked = append(asked, r.URL.EscapedPath())
			mu.Unlock()
			if strings.Contains(r.URL.Path, "!") && code != http.StatusOK {
				w.WriteHeader(code)
				return
			}
			_, _ = w.Write([]byte("picture"))
		})
		_, err := f.Fetch(context.Background(), Media{Kind: "image", URI: base + "/iiif/a%2Fb/full/max/0/default.jpg"})
		paths := []string{"/iiif/a%2Fb/full/!1024,1024/0/default.jpg", "/iiif/a%2Fb/full/max/0/default.jpg"}
		if code == http.StatusOK || want == "" {
			paths = paths[:1]
		}
		if reason(err) != want || !slices.Equal(asked, paths) {
			t.Errorf("%d: error %v, asked %v, want %v", code, err, asked, paths)
		}
	}
	f, base := museum(t, 0, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	if _, err := f.Fetch(context.Background(), Media{Kind: "image", URI: base + "/a/b/full/max/0/default.jpg"}); reason(err) != feature.ReasonNotFound {
		t.Errorf("missing in both sizes: error %v", err)
	}
}
