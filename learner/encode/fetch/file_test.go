package fetch

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kilim/learner/encode/feature"
)

const limit = 1000

func open(t *testing.T, cfg Config) *Fetcher {
	t.Helper()
	cfg.MaxBytes, cfg.UserAgent = limit, "kilim/test"
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func fileURI(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }

// reason is that of a refusal, "" for another error, "ok" for none.
func reason(err error) string {
	if err == nil {
		return "ok"
	}
	if r, ok := feature.AsRefusal(err); ok {
		return r.Reason
	}
	return ""
}

func TestInlinePassesThrough(t *testing.T) {
	t.Parallel()
	f := open(t, Config{})
	for name, c := range map[string]struct {
		in     Media
		want   feature.Item
		reason string
	}{
		"text":           {Media{Kind: "text", Text: "é", URI: "file:///etc/passwd"}, feature.Item{Kind: "text", Text: "é"}, "ok"},
		"text as data":   {Media{Kind: "text", Data: []byte("\ufeffab"), MediaType: "text/plain"}, feature.Item{Kind: "text", Text: "ab", MediaType: "text/plain"}, "ok"},
		"image":          {Media{Kind: "image", Data: []byte{1}, MediaType: "image/png"}, feature.Item{Kind: "image", Data: []byte{1}, MediaType: "image/png"}, "ok"},
		"text of latin1": {Media{Kind: "text", Data: []byte("\xe9")}, feature.Item{}, feature.ReasonUnsupported},
		"mark alone":     {Media{Kind: "text", Data: []byte("\ufeff")}, feature.Item{}, feature.ReasonEmpty},
		"nothing":        {Media{Kind: "image"}, feature.Item{}, feature.ReasonEmpty},
		"long text":      {Media{Kind: "text", Text: strings.Repeat("x", limit+1)}, feature.Item{}, feature.ReasonTooManyBytes},
		"large image":    {Media{Kind: "image", Data: make([]byte, limit+1)}, feature.Item{}, feature.ReasonTooManyBytes},
	} {
		got, err := f.Fetch(context.Background(), c.in)
		if reason(err) != c.reason || got.Kind != c.want.Kind || got.MediaType != c.want.MediaType || got.Text != c.want.Text || string(got.Data) != string(c.want.Data) {
			t.Errorf("%s: %+v, error %v; want %+v, %s", name, got, err, c.want, c.reason)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	root, other := filepath.Join(base, "root"), filepath.Join(base, "other")
	write(t, filepath.Join(root, "a.jpg"), "picture")
	write(t, filepath.Join(root, "ä b/c#?%41 d.jpg"), "deep")
	write(t, filepath.Join(root, "empty"), "")
	write(t, filepath.Join(root, "full"), strings.Repeat("x", limit))
	write(t, filepath.Join(root, "large"), strings.Repeat("x", limit+1))
	write(t, filepath.Join(other, "o.jpg"), "other")
	write(t, filepath.Join(base, "secret"), "secret")
	write(t, filepath.Join(base, "root2/x"), "secret")
	for link, to := range map[string]string{
		"in": "a.jpg", "out": "../secret", "abs": filepath.Join(base, "secret"), "dir": "..", "loop": "loop", "dangling": "nothing",
		"inabs": filepath.Join(root, "a.jpg"),
	} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := open(t, Config{Roots: []string{root, other}})
	for uri, want := range map[string]string{ // what is read, or the reason of the refusal after a "!"
		fileURI(root + "/a.jpg"):             "picture",
		"file://localhost" + root + "/a.jpg": "picture",
		"FILE:" + root + "/a.jpg":            "picture",
		fileURI(root + "//./a.jpg"):          "picture",
		fileURI(root + "/ä b/c#?%41 d.jpg"):  "deep",
		fileURI(root + "/in"):                "picture",
		fileURI(root + "/full"):              strings.Repeat("x", limit),
		fileURI(other + "/o.jpg"):            "other",
		fileURI(root + "/large"):             "!" + feature.ReasonTooManyBytes,
		fileURI(root + "/empty"):             "!" + feature.ReasonEmpty,
		fileURI(root + "/nothing"):           "!" + feature.ReasonNotFound,
		fileURI(root + "/dangling"):          "!" + feature.ReasonNotFound,
		fileURI(root + "/a.jpg/x"):           "!" + feature.ReasonNotFound,
		fileURI(root + "/out"):               "!" + feature.ReasonNotAllowed,
		fileURI(root + "/abs"):               "!" + feature.ReasonNotAllowed,
		fileURI(root + "/inabs"):             "!" + feature.ReasonNotAllowed, // os.Root follows no absolute link
		fileURI(root + "/dir/secret"):        "!" + feature.ReasonNotAllowed,
		fileURI(root + "/dir"):               "!" + feature.ReasonNotAllowed,
		fileURI(root + "/../secret"):         "!" + feature.ReasonNotAllowed,
		"file://" + root + "/%2e%2e/secret":  "!" + feature.ReasonNotAllowed,
		"file://" + root + "/..%2fsecret":    "!" + feature.ReasonNotAllowed,
		fileURI(root + "/x/../a.jpg"):        "!" + feature.ReasonNotAllowed,
		fileURI(root):                        "!" + feature.ReasonNotAllowed,
		fileURI(root + "/pipe"):              "!" + feature.ReasonNotAllowed,
		fileURI(base + "/secret"):            "!" + feature.ReasonNotAllowed,
		fileURI(root + "2/x"):                "!" + feature.ReasonNotAllowed,
		"file:///etc/passwd":                 "!" + feature.ReasonNotAllowed,
		"file://server" + root + "/a.jpg":    "!" + feature.ReasonNotAllowed,
		"file:a.jpg":                         "!" + feature.ReasonNotAllowed,
		"file://" + root + "/a.jpg?x":        "!" + feature.ReasonNotAllowed,
		"file://" + root + "/a.jpg#x":        "!" + feature.ReasonNotAllowed,
		"file://" + root + "/a.jpg%00":       "!" + feature.ReasonNotAllowed,
		"file://" + root + "/%zz":            "!" + feature.ReasonNotAllowed,
		fileURI(root + strings.Repeat("/x", 9) + strings.Repeat("n", 300)): "!" + feature.ReasonNotFound,
		fileURI(root + "/" + strings.Repeat("n", 300)):                     "!" + feature.ReasonNotAllowed,
		"a.jpg":                  "!" + feature.ReasonNotAllowed,
		root + "/a.jpg":          "!" + feature.ReasonNotAllowed,
		"http://example.org/x":   "!" + feature.ReasonNotAllowed,
		"ftp://example.org/x":    "!" + feature.ReasonNotAllowed,
		"data:image/png;base64,": "!" + feature.ReasonNotAllowed,
	} {
		item, err := f.Fetch(context.Background(), Media{Kind: "image", URI: uri})
		if r := f.Refuses(uri); r != nil && r.Reason != reason(err) {
			t.Errorf("%s: is refused before it is read, as %v, and when it is, as %v", uri, r, err)
		}
		if got, refused := reason(err), strings.HasPrefix(want, "!"); refused && "!"+got != want || !refused && (err != nil || string(item.Data) != want) {
			t.Errorf("%s: %q, error %v; want %q", uri, item.Data, err, want)
		}
		if strings.Contains(string(item.Data), "secret") {
			t.Fatalf("%s leads to the secret", uri)
		}
	}
	for _, uri := range []string{"a.jpg", "http://example.org/x", "ftp://example.org/x", "file:///etc/passwd", fileURI(root + "/../secret"), "file:a.jpg", "http://[::1", ""} {
		if f.Refuses(uri) == nil {
			t.Errorf("%q is not refused before it is read", uri)
		}
	}
	// A loop of links may be mended, so it is no refusal; it only must end.
	if _, err := f.Fetch(context.Background(), Media{Kind: "image", URI: fileURI(root + "/loop")}); err == nil {
		t.Error("a loop of links is read")
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	root := t.TempDir()
	path := filepath.Join(root, "a")
	write(t, path, "x")
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, Config{Roots: []string{root}}).Fetch(context.Background(), Media{Kind: "image", URI: fileURI(path)})
	if err == nil || reason(err) != "" {
		t.Errorf("error %v, want one that may pass", err)
	}
}

func TestConfigFaultsAreToldTogether(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "x")
	err := Config{
		Roots: []string{"", file, "/nowhere", "/", t.TempDir()},
		Hosts: []string{"", "*", "*.org", "a b", "http://a", "a:0", "a:x", "*.127.0.0.1", "ok.org", "*.ok.org", "OK.org.:81", "8.8.8.8", "[2620::1]:81"},
	}.Validate()
	var got []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		var f *Fault
		if !errors.As(e, &f) || f.Detail == "" {
			t.Fatalf("%v is no fault", e)
		}
		got = append(got, f.Setting)
	}
	want := append(slices.Repeat([]string{"root"}, 4), slices.Repeat([]string{"hosts"}, 8)...)
	if want = append(want, "max-bytes", "timeout"); !slices.Equal(got, want) {
		t.Errorf("faults of %v, want %v\n%v", got, want, err)
	}
	if _, err := New(Config{}); err == nil {
		t.Error("New takes what Validate refuses")
	}
}
