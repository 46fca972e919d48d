package hostile

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// medium is one with its content, of the kind that it says or another.
func (g *Generator) medium() string {
	content := g.carriers[g.rng.IntN(len(g.carriers))]
	return g.inline(pick(g, "image", "audio"), content)
}

func (g *Generator) inline(kind string, content []byte) string {
	return `{"kind":"` + kind + `","data":"` + base64.StdEncoding.EncodeToString(content) + `"` +
		pick(g, "", `,"media_type":"image/png"`, `,"media_type":"audio/wav"`, `,"media_type":`+quote(g.text(g.size(500)))) + `}`
}

// media are many, of wrong kinds, empty, or with texts.
func media(g *Generator, r *Record) {
	n := pick(g, 1, 2, g.size(60), g.size(mostEdges))
	r.Note = fmt.Sprintf("%d media", n)
	one := func(i int) string {
		switch g.rng.IntN(12) {
		case 0:
			return g.medium()
		case 1:
			return `{"kind":"image","data":"` + base64.StdEncoding.EncodeToString(g.bytes(g.size(200))) + `"}`
		case 2:
			return `{"kind":"text","data":"` + base64.StdEncoding.EncodeToString(g.bytes(g.size(200))) + `"}`
		}
		return `{"kind":"text","text":` + quote(g.text(g.size(100))) + `,"language":` + quote(g.word()) + `}`
	}
	if g.one(4) {
		text := g.text(g.size(mostText))
		n, one = 1, func(int) string {
			return `{"kind":"text","text":` + quote(text) + `,"language":` + quote(g.language()) + `}`
		}
		r.Note = fmt.Sprintf("a text of %d bytes", len(text))
	}
	g.send(r, `"media":`+list(n, one))
}

// uris lead where nothing may be fetched.
func uris(g *Generator, r *Record) {
	uri := pick(g, "file:///etc/passwd", "file:///dev/zero", "file:///proc/self/mem", "file:../../../etc/passwd", "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:9464/metrics",
		"http://localhost:1/", "http://[::1]/", "https://user:secret@example.org/?api-key=S3cret", "ftp://x/", "data:image/png;base64,iVBORw0KGgo=", "javascript:alert(1)", "http://",
		"://", "\x00", "http://x/%zz", "//x/y", "x.jpg", "http://ex ample/", "http://example.org:99999999/", "gopher://x/"+g.text(g.size(3000)), strings.Repeat("http://a/", g.size(5000)), "urn:isbn:1")
	r.Note, r.Fate = cut(uri, 60), Applied
	if strings.TrimSpace(uri) == "" {
		r.Fate = Either
	}
	g.send(r, `"media":[{"kind":"`+pick(g, "image", "audio", "text")+`","uri":`+quote(uri)+`}]`)
}

// mutated are files of pictures and recordings in which some bytes are others, that are cut off, or that go on.
func mutated(g *Generator, r *Record) {
	b := append([]byte(nil), g.carriers[g.rng.IntN(len(g.carriers))]...)
	switch g.rng.IntN(4) {
	case 0:
		b = b[:g.rng.IntN(len(b))]
	case 1:
		b = append(b, g.bytes(g.size(5000))...)
	default:
		for range 1 + g.size(20) {
			at := g.rng.IntN(min(len(b), 1+g.rng.IntN(len(b))))
			b[at] = pick(g, 0, 0xff, 0x7f, 0x80, byte(g.rng.Uint32()))
		}
	}
	r.Note = fmt.Sprintf("%d bytes, %q", len(b), b[:min(len(b), 4)])
	g.send(r, `"media":[`+g.inline(pick(g, "image", "audio"), b)+`]`)
}
