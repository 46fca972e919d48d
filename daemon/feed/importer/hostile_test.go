package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"kilim/daemon/feed"
)

// endless is a text that goes on with one byte for a gigabyte.
func endless(head, of, tail string) io.Reader {
	const gigabyte = 1 << 30
	return io.MultiReader(strings.NewReader(head), io.LimitReader(&repeated{of: []byte(of)}, gigabyte), strings.NewReader(tail))
}

type repeated struct {
	of []byte
	at int
}

func (r *repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.of[r.at%len(r.of)]
		r.at++
	}
	return len(p), nil
}

// drained reads to the end or to an error that ends the input.
func drained(im *Importer) (artifacts []string, err error) {
	for {
		line, _, err := im.Next()
		if errors.Is(err, io.EOF) {
			return artifacts, nil
		}
		if err != nil {
			return artifacts, err
		}
		artifacts = append(artifacts, string(line))
	}
}

// TestGigabytes: a record that never ends is an error that names the line, after a few records' lengths have been read.
func TestGigabytes(t *testing.T) {
	t.Parallel()
	const record = `<record><header><identifier>a</identifier></header></record>`
	for name, c := range map[string]struct {
		format string
		in     io.Reader
		want   string
	}{
		"an element":         {"oai-dc", endless("<ListRecords>"+record+"\n<record><metadata>", "x", "</metadata></record></ListRecords>"), "line 2: in the <record> that begins in line 2: a record of more than 1 MiB"},
		"elements":           {"oai-dc", endless("<ListRecords>"+record+"\n<record><metadata>", "<a>"+strings.Repeat("x", 500)+"</a>", "</metadata></record></ListRecords>"), "line 2: in the <record> that begins in line 2: a record of more than 1 MiB"},
		"a name":             {"oai-dc", endless("<ListRecords>"+record+"\n<", "x", ""), "line 2: a record of more than 1 MiB"},
		"a comment":          {"oai-dc", endless("<ListRecords>"+record+"\n<!--", "x", "-->"), "line 2: a record of more than 1 MiB"},
		"a declaration":      {"oai-dc", endless("<!DOCTYPE x [", "<!ENTITY a 'b'>", ""), "line 1: a record of more than 1 MiB"},
		"a quote not closed": {"csv", endless("id,title\na,Kylix\nb,\"Lekythos", "x\n", ""), "behind line 2: "},
		"a line":             {"csv", endless("id,title\na,Kylix\nb,", "x", "\n"), "behind line 2: "},
		"a header":           {"csv", endless("id,title,", "x", "\n"), "the header: "},
		"a line of JSON":     {"iiif", endless(`{"id":"a"}`+"\n"+`{"id":"`, "x", `"}`), "line 2: longer than"},
		"a value of JSON":    {"iiif", endless(`[{"id":"a"},{"id":"`, "x", `"}]`), "a value that is too long"},
		"depth of JSON":      {"iiif", endless(`[{"id":"a"},{"id":`, "[", `]`), "exceeded max depth"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			im, err := Open(c.in, Options{Format: c.format, longest: 1 << 20})
			var made []string
			if err == nil {
				made, err = drained(im)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if im == nil {
				return
			}
			if before := strings.Contains(c.want, "line 2") || c.format == "iiif"; before != (len(made) == 1) {
				t.Errorf("made %q", made)
			}
			if im.Read() > 3*feed.MaxLine {
				t.Errorf("%d bytes read", im.Read())
			}
		})
	}
}

// TestBrokenRecords: what is broken alone is named by its line, and the records around it become artifacts.
func TestBrokenRecords(t *testing.T) {
	t.Parallel()
	const good = "<record><header><identifier>%s</identifier></header></record>\n"
	deep := "<record><header><identifier>b</identifier></header>" + strings.Repeat("<a>", 5000) + strings.Repeat("</a>", 5000) + "</record>\n"
	wide := "<record><header><identifier>b</identifier></header>" + strings.Repeat("<a/>", 200_000) + "</record>\n"
	around := func(middle string) string {
		return "<ListRecords>\n" + fmt.Sprintf(good, "a") + middle + fmt.Sprintf(good, "c") + "</ListRecords>"
	}
	for name, c := range map[string]struct{ format, in, want string }{
		"too deep":          {"oai-dc", around(deep), "line 3: more than 200 elements in one another"},
		"too wide":          {"oai-dc", around(wide), "line 3: more than 100000 elements"},
		"no id":             {"oai-dc", around("<record/>\n"), "line 3: no id"},
		"too deep for JSON": {"iiif", "{\"id\":\"a\"}\n{\"id\":" + strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000) + "}\n{\"id\":\"c\"}\n", "line 2: more than 200 values in one another"},
		"deep JSON-LD":      {"linked-art", "{\"id\":\"a\"}\n{\"id\":\"b\",\"part\":" + strings.Repeat(`[`, 500_000) + strings.Repeat("]", 500_000) + "}\n{\"id\":\"c\"}\n", "line 2: more than 200 values in one another"},
		"too many values":   {"iiif", "{\"id\":\"a\"}\n{\"id\":[" + strings.Repeat(`1,`, 200_000) + "1]}\n{\"id\":\"c\"}\n", "line 2: more than 100000 values"},
		"torn JSON":         {"iiif", "{\"id\":\"a\"}\n{\"id\":\n{\"id\":\"c\"}\n", "line 2: unexpected EOF"},
		"two values":        {"iiif", "{\"id\":\"a\"}\n{\"id\":\"b\"} {}\n{\"id\":\"c\"}\n", "line 2: something stands behind"},
		"a stray quote":     {"csv", "id;title\na;x\nb;y \"z\"\nc;x\n", "line 3: bare"},
		"too many cells":    {"csv", "id\ttitle\na\tx\nb\ty\tz\nc\tx\n", "line 3: 3 cells, and 2 columns"},
		"not UTF-8":         {"csv", "id,title\na,x\nb,caf\xe9\nc,x\n", `line 3: column "title" is not UTF-8`},
	} {
		im, err := Open(strings.NewReader(c.in), Options{Format: c.format})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		made, err := drained(im)
		if err != nil || len(made) != 2 || !strings.Contains(made[0], `"id":"a"`) || !strings.Contains(made[1], `"id":"c"`) {
			t.Errorf("%s: made %q, error %v", name, made, err)
		}
		if r := im.Report(); r.Broken != 1 || r.Records != 2 || !strings.HasPrefix(r.First[0].Error(), c.want) {
			t.Errorf("%s: %d broken, %v; want %q", name, r.Broken, r.First, c.want)
		}
	}
}

// TestEntities: no entity that a document declares is expanded.
func TestEntities(t *testing.T) {
	t.Parallel()
	laughs := "<!DOCTYPE x [<!ENTITY a \"ha\">"
	for c := 'b'; c < 'z'; c++ {
		laughs += fmt.Sprintf("<!ENTITY %c \"%s\">\n", c, strings.Repeat(fmt.Sprintf("&%c;", c-1), 10))
	}
	for name, head := range map[string]string{"laughs": laughs + "]>", "a file": "<!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]>"} {
		im, err := Open(strings.NewReader(head+"\n<record><header><identifier>&y;</identifier></header></record>"), Options{Format: "oai-dc"})
		if err != nil {
			t.Fatal(err)
		}
		if made, err := drained(im); err == nil || !strings.Contains(err.Error(), "invalid character entity &y;") || !strings.HasPrefix(err.Error(), "after 0 records: line ") || len(made) > 0 {
			t.Errorf("%s: made %q, error %v", name, made, err)
		}
	}
}

// TestEncodings: the same table and the same document in each.
func TestEncodings(t *testing.T) {
	t.Parallel()
	const rows, want = "id;title;culture;date\nä;Café;Österreich|Ungarn;1880-1885\n", `{"culture":["Österreich","Ungarn"],"date":{"begin":1880,"end":1885,"text":"1880-1885"},"id":"ä","title":"Café"}`
	const document = "<?xml version=\"1.0\" encoding=\"%s\"?>\n<record><header><identifier>ä</identifier></header><metadata><dc><title>Café</title></dc></metadata></record>"
	in := func(e encoding.Encoding, text string) string {
		out, err := e.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	little, big := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	for name, c := range map[string]struct{ format, encoding, in string }{
		"UTF-8":                 {"csv", "", rows},
		"UTF-8 with a mark":     {"csv", "", "\ufeff" + rows},
		"UTF-8 in spite":        {"csv", "latin1", "\ufeff" + rows},
		"UTF-16":                {"csv", "", in(little, rows)},
		"UTF-16, big":           {"csv", "", in(big, rows)},
		"UTF-16, no mark":       {"csv", "utf-16le", in(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), rows)},
		"Latin-1":               {"csv", "latin1", in(charmap.ISO8859_1, rows)},
		"Windows-1252":          {"csv", "windows-1252", in(charmap.Windows1252, rows)},
		"Windows lines":         {"csv", "", strings.ReplaceAll(rows, "\n", "\r\n")},
		"XML in UTF-8":          {"oai-dc", "", fmt.Sprintf(document, "utf-8")},
		"XML with a mark":       {"oai-dc", "", "\ufeff" + fmt.Sprintf(document, "utf-8")},
		"XML in Latin-1":        {"oai-dc", "", in(charmap.ISO8859_1, fmt.Sprintf(document, "iso-8859-1"))},
		"XML in Windows-1252":   {"oai-dc", "", in(charmap.Windows1252, fmt.Sprintf(document, "windows-1252"))},
		"XML in UTF-16":         {"oai-dc", "", in(little, fmt.Sprintf(document, "UTF-16"))},
		"XML in UTF-16, big":    {"oai-dc", "", in(big, fmt.Sprintf(document, "utf-16"))},
		"XML without a heading": {"oai-dc", "", strings.SplitAfterN(document, "\n", 2)[1]},
	} {
		im, err := Open(strings.NewReader(c.in), Options{Format: c.format, Encoding: c.encoding})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := want
		if c.format != "csv" {
			want = `{"id":"ä","title":"Café"}`
		}
		if made, err := drained(im); err != nil || len(made) != 1 || made[0] != want {
			t.Errorf("%s: made %q, error %v, broken %v", name, made, err, im.Report().First)
		}
	}
}

// TestWrongUse: what is refused before a record is read, and by which words.
func TestWrongUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := 0
	file := func(text string) string {
		files++
		name := filepath.Join(dir, fmt.Sprint(files))
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for want, c := range map[string]struct {
		in  string
		opt Options
	}{
		`format "mods"`:                         {"", Options{Format: "mods"}},
		`map "tate": no such file`:              {"", Options{Format: "csv", Map: "tate"}},
		`map "met" is of format table`:          {"", Options{Format: "lido", Map: "met"}},
		"an encoding is for csv":                {"", Options{Format: "lido", Encoding: "latin1"}},
		`encoding "klingon" is not known`:       {"id,title\n", Options{Format: "csv", Encoding: "klingon"}},
		"an empty file":                         {"", Options{Format: "csv"}},
		`"title" stands there twice`:            {"id,title,title\n", Options{Format: "csv"}},
		"no column for the id":                  {"ID,Titel\n", Options{Format: "csv"}},
		"xlsx must be a file":                   {"PK", Options{Format: "xlsx"}},
		`"titel" is no field of an artifact: `:  {"", Options{Format: "csv", Map: file("format: table\nid: a\nfields: {titel: b}\n")}},
		"unknown field":                         {"", Options{Format: "csv", Map: file("format: table\nid: a\nfeilds: {title: b}\n")}},
		`XPath "a[": `:                          {"", Options{Format: "lido", Map: file("format: xml\nrecord: [r]\nid: \"a[\"\nfields: {title: b}\n")}},
		"id: want what an artifact's id":        {"", Options{Format: "csv", Map: file("format: table\nfields: {title: b}\n")}},
		"media want a kind":                     {"", Options{Format: "csv", Map: file("format: table\nid: a\nfields: {media: b}\n")}},
		"want one group":                        {"", Options{Format: "csv", Map: file("format: table\nid: a\nfields: {type: {from: b, match: x}}\n")}},
		"title is one text: it can't be split":  {"", Options{Format: "csv", Map: file("format: table\nid: a\nfields: {title: {from: b, split: x}}\n")}},
		"label is for xml and json":             {"", Options{Format: "csv", Map: file("format: table\nid: a\nfields: {type: {from: b, label: x}}\n")}},
		"record: the names of the elements":     {"", Options{Format: "lido", Map: file("format: xml\nid: a\nfields: {title: b}\n")}},
		`format "CSV": want table, xml or json`: {"", Options{Format: "lido", Map: file("format: CSV\nid: a\nfields: {title: b}\n")}},
	} {
		if _, err := Open(strings.NewReader(c.in), c.opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// FuzzImport: of whatever file, each record becomes an artifact or is broken, or the input ends with an error; nothing panics.
func FuzzImport(f *testing.F) {
	for i, name := range Formats() {
		f.Add(i, []byte(name))
	}
	samples, err := filepath.Glob("testdata/*.[cxj]*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range samples {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i := range Formats() {
			f.Add(i, text)
		}
	}
	f.Fuzz(func(t *testing.T, format int, file []byte) {
		name := Formats()[uint(format)%uint(len(Formats()))]
		im, err := Open(bytes.NewReader(file), Options{Format: name})
		if err != nil {
			return
		}
		made, err := drained(im)
		if r := im.Report(); r.Records != len(made) {
			t.Errorf("%s: %d artifacts, %d counted (%v)", name, len(made), r.Records, err)
		}
	})
}
