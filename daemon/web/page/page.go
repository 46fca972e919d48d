package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Prefix is the folder of all files but the document, which is "/".
const Prefix = "/page/"

// Policy is the Content-Security-Policy of every file. Nothing in it is unsafe-*: styles that depend on data are set by
// scripts through the object model, which it allows.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

//go:embed files vendored
var files embed.FS

const (
	document  = "index.html"
	explained = "README.md" // says where the parts of others are from, and is not served
)

// Page holds the files, ready to be sent.
type Page struct{ files map[string]file }

type file struct {
	kind          string
	etag          string
	plain, packed []byte
}

// New packs the files. version is shown in the document.
func New(version string) (*Page, error) {
	p := &Page{map[string]file{}}
	add := func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == explained {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		_, short, _ := strings.Cut(name, "/")
		base, at := path.Base(name), Prefix+short
		if base == document {
			at = "/"
			if text, err = rendered(text, version); err != nil {
				return err
			}
		}
		p.files[at], err = made(base, text)
		return err
	}
	for _, folder := range []string{"files", "vendored"} {
		if err := fs.WalkDir(files, folder, add); err != nil {
			return nil, fmt.Errorf("page: %w", err)
		}
	}
	return p, nil
}

// rendered is the document with the version in it, and with the modules that others import as they load, so that a browser asks for all of these at once and not
// for each when another one has come that imports it.
func rendered(text []byte, version string) ([]byte, error) {
	t, err := template.New(document).Parse(string(text))
	if err != nil {
		return nil, err
	}
	modules, err := imported()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, struct {
		Version string
		Modules []string
	}{version, modules})
	return out.Bytes(), err
}

var imports = regexp.MustCompile(`(?m)^import .* from "\./(.+)";$`)

// imported are the paths of the modules that others import as they load, in order.
func imported() ([]string, error) {
	names, err := fs.Glob(files, "files/*.js")
	if err != nil {
		return nil, err
	}
	all := map[string]struct{}{}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for _, m := range imports.FindAllSubmatch(text, -1) {
			all[Prefix+string(m[1])] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}

func made(name string, text []byte) (file, error) {
	kind, ok := map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
		"": "text/plain; charset=utf-8", // a licence
	}[path.Ext(name)]
	if !ok {
		return file{}, fmt.Errorf("file %s: its type is not known", name)
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return file{}, err
	}
	if _, err := z.Write(text); err != nil {
		return file{}, err
	}
	if err := z.Close(); err != nil {
		return file{}, err
	}
	sum := sha256.Sum256(text)
	return file{kind: kind, etag: hex.EncodeToString(sum[:12]), plain: text, packed: packed.Bytes()}, nil
}

// Serve answers a GET or HEAD for a file, and tells whether there is one of that path.
func (p *Page) Serve(w http.ResponseWriter, r *http.Request) bool {
	f, ok := p.files[r.URL.Path]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	// The name of a file does not change with its content, so a browser asks each time; it is told 304 unless there is something new.
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	body, etag := f.plain, `"`+f.etag+`"`
	if Accepts(r.Header.Get("Accept-Encoding"), "gzip") {
		body, etag = f.packed, `"`+f.etag+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone; nothing to do about it
	}
	return true
}

// Accepts tells whether an Accept-Encoding names a coding, with any weight but 0.
func Accepts(header, coding string) bool {
	for one := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(one), ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight == "" || strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != ""
		}
	}
	return false
}
