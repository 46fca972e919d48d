package feed

import (
	"bytes"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// four are the records that each form of a file holds.
const four = `{"id":"a","title":"Lekythos [\" \\"}
{"id":"b","title":"Hydria"}
{"id":"c","title":"Krater"}
{"id":"d","title":"Kylix"}
`

// bzipped is four, by bzip2 -9, which Go does not write.
const bzipped = "QlpoOTFBWSZTWX/iuaIAADhfgAAQUAQAEABMAAw+bJxqIABUJVGmaJgQBmglUepkGTT1GTTJ6MHzoy6VewQOQGCQf8bXiALR6aVemSA1w+URAYDeGAl9r9LZNwnoYeqg4Mi7kinChIP/Fc0Q"

func inZstd(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFormsThatAreRead(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(four), "\n")
	pretty := strings.NewReplacer(`{"id"`, "{\n  \"id\"", `,"title":`, " ,\n\t\"title\" : ", "}\n", "\n}\n").Replace(four)
	bz, err := base64.StdEncoding.DecodeString(bzipped)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]string{
		"lines":                    four,
		"Windows lines":            strings.ReplaceAll(four, "\n", "\r\n"),
		"no end of line":           strings.TrimSpace(four),
		"blank lines first":        "\n \n" + four,
		"byte order mark":          "\ufeff" + four,
		"array":                    "[" + strings.Join(lines, ",") + "]",
		"array of lines":           "[\n" + strings.Join(lines, ",\n") + "\n]\n",
		"array with a mark":        "\ufeff[\n" + strings.Join(lines, "\n,") + "\n]\n",
		"array, pretty":            " [" + strings.ReplaceAll(strings.TrimSpace(pretty), "\n}\n", "\n},\n") + "]",
		"pretty":                   pretty,
		"pretty, Windows":          strings.ReplaceAll(pretty, "\n", "\r\n"),
		"pretty, no end":           strings.TrimSpace(pretty),
		"gzip":                     zipped(t, []byte(four)).String(),
		"gzip of a mark":           zipped(t, []byte("\ufeff"+four)).String(),
		"gzip of an array":         zipped(t, []byte("[\n"+strings.Join(lines, ",\n")+"\n]\n")).String(),
		"zstd":                     inZstd(t, four),
		"zstd of an array, pretty": inZstd(t, "["+strings.ReplaceAll(strings.TrimSpace(pretty), "\n}\n", "\n},\n")+"]"),
		"zstd of gzip":             inZstd(t, zipped(t, []byte(four)).String()),
		"bzip2":                    string(bz),
	} {
		conn := connect(t, 1)
		sum, err := run(t, conn, strings.NewReader(in))
		if err != nil || sum.Records != 4 || len(sum.Refused) > 0 {
			t.Errorf("%s: %v, summary %+v", name, err, sum)
			continue
		}
		for i, m := range stored(t, conn, 1)[0] {
			if want := string(lines[i][7]) + " = " + lines[i]; shown(m) != want {
				t.Errorf("%s: record %s, want %s", name, shown(m), want)
			}
		}
	}
}

// What is not read is refused before a record is sent.
func TestFormsThatAreRefused(t *testing.T) {
	t.Parallel()
	utf16 := func(s string, low, high int) string {
		var b strings.Builder
		for i := range len(s) {
			pair := []byte{0, 0}
			pair[low], pair[high] = s[i], 0
			b.Write(pair)
		}
		return b.String()
	}
	tar := append([]byte("feed.jsonl"), make([]byte, 600)...)
	copy(tar[257:], "ustar")
	conn := connect(t, 1)
	for name, in := range map[string]string{
		"zip":                "PK\x03\x04\x14\x00",
		"xz":                 "\xfd7zXZ\x00\x00",
		"7z":                 "7z\xbc\xaf\x27\x1c\x00",
		"lz4":                "\x04\x22\x4d\x18\x64",
		"UTF-16":             "\xff\xfe" + utf16(four, 0, 1),
		"UTF-16 ":            "\xfe\xff" + utf16(four, 1, 0),
		"UTF-16 or UTF-32":   utf16(four, 0, 1),
		"UTF-16  ":           utf16(four, 1, 0),
		"UTF-32":             "\xff\xfe\x00\x00{\x00\x00\x00",
		"tar":                string(tar),
		"zip ":               zipped(t, []byte("PK\x03\x04\x14\x00")).String(),
		"tar ":               zipped(t, tar).String(),
		"packed more than":   zipped(t, zipped(t, zipped(t, []byte(four)).Bytes()).Bytes()).String(),
		"JSON Lines":         "id,title\na,Lekythos\n",
		"JSON Lines ":        "<records><record/></records>",
		"JSON Lines  ":       "\"a\"\n\"b\"\n",
		"JSON Lines   ":      "[[1,2],[3,4]]",
		"JSON Lines    ":     "\n\nnull\n",
		"line 1: no_fields":  "{\"records\":[{\"id\":\"a\",\"title\":\"x\"}]}\n",
		"line 2: no_fields":  "\n{\"id\":7,\"name\":\"x\"}\n" + four,
		"unexpected EOF":     "[{\"id\":\"a\"",
		"unexpected EOF ":    "{\n\"id\":\"a\",\n",
		"after 0 values":     "[,]",
		"zstd":               "\x28\xb5\x2f\xfdnonsense",
		"behind the array":   "[]{}",
		"a value that is":    "[\"" + strings.Repeat("x", 2*MaxLine+1<<20),
		"the limit is 33554": "[\"" + strings.Repeat("x", MaxLine) + "\"]",
	} {
		sum, err := run(t, conn, strings.NewReader(in))
		if want := strings.TrimSpace(name); err == nil || !strings.Contains(err.Error(), want) || sum.Records != 0 {
			t.Errorf("%s: error %v, summary %+v", want, err, sum)
		}
	}
	if got := stored(t, conn, 1)[0]; len(got) > 0 {
		t.Errorf("sent %d records, the first is %s", len(got), shown(got[0]))
	}
	if sum, err := run(t, conn, strings.NewReader(" [ ] ")); err != nil || sum.Records != 0 {
		t.Errorf("an empty array: %v, %+v", err, sum)
	}
	if sum, err := Run(t.Context(), JSON(strings.NewReader("id,title\n")), conn, Options{Topic: topic, AllowRefused: true}); err != nil || sum.Refused["not_json"] != 1 {
		t.Errorf("lines that are allowed to be refused: %v, %+v", err, sum)
	}
}

// A torn line is one bad record, also as the first; a torn array is an error behind its good ones.
func TestTornLinesAndArrays(t *testing.T) {
	t.Parallel()
	conn := connect(t, 1)
	for in, records := range map[string]int{
		"{\"id\":\"a\",\"ti\n" + four:              5,
		"{\"id\":\"a\"\n" + four:                   5,
		four + "{\"id\":\"a\",\n":                  5,
		"{\"id\":\"a\",\"title\":\"x\"}}\n" + four: 5,
	} {
		sum, err := run(t, conn, strings.NewReader(in))
		if err != nil || sum.Records != records || sum.Refused["not_json"] != 1 {
			t.Errorf("%.30q: %v, %+v", in, err, sum)
		}
	}
	for _, in := range []string{"[" + strings.ReplaceAll(four, "}\n", "},\n"), "[" + strings.ReplaceAll(four, "\n", " "), "[" + strings.ReplaceAll(four, "}\n", "},") + "7"} {
		if sum, err := run(t, conn, strings.NewReader(in)); err == nil || sum.Records == 0 {
			t.Errorf("%.30q: %v, %+v", in, err, sum)
		}
	}
}

// Lines that come one by one are sent one by one, before the next one is there.
func TestLinesAreSentAsTheyCome(t *testing.T) {
	t.Parallel()
	conn := connect(t, 1)
	r, w := io.Pipe()
	acknowledged := make(chan Summary)
	done := make(chan error)
	go func() {
		_, err := Run(t.Context(), JSON(r), conn, Options{Topic: topic, Progress: func(s Summary) { acknowledged <- s }})
		done <- err
	}()
	for i, line := range strings.SplitAfter(four, "\n")[:4] {
		if _, err := io.WriteString(w, line); err != nil {
			t.Fatal(err)
		}
		if s := <-acknowledged; s.Records != i+1 {
			t.Fatalf("%d records acknowledged, want %d", s.Records, i+1)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The files that others report.
func TestReportedFeeds(t *testing.T) {
	t.Parallel()
	for name, records := range map[string]int{"bom.jsonl": 4, "array.json": 4, "feed.zip": 0} {
		f, err := os.Open(filepath.Join("../../../shared/cases/feeds", name))
		if err != nil {
			t.Skipf("no cases here: %v", err)
		}
		conn := connect(t, 1)
		sum, err := run(t, conn, f)
		if (err == nil) != (records > 0) || sum.Records != records || sum.Keyless > 0 || len(sum.Refused) > 0 {
			t.Errorf("%s: %v, %+v", name, err, sum)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
