package feed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestRelativeURIs(t *testing.T) {
	t.Parallel()
	const base = "/arch ive/ä"
	for in, want := range map[string]string{ // the uri as JSON; "" for left as it is
		`"vases/K_171.jpg"`:        "file:///arch%20ive/%C3%A4/vases/K_171.jpg",
		`"K 1 ü.jpg"`:              "file:///arch%20ive/%C3%A4/K%201%20%C3%BC.jpg",
		`"K%201%20%C3%BC.jpg"`:     "file:///arch%20ive/%C3%A4/K%201%20%C3%BC.jpg",
		`"\u0645\u062b\u0644.png"`: "file:///arch%20ive/%C3%A4/%D9%85%D8%AB%D9%84.png",
		`"100% silk.jpg"`:          "file:///arch%20ive/%C3%A4/100%25%20silk.jpg",
		`"50%25.jpg"`:              "file:///arch%20ive/%C3%A4/50%25.jpg",
		`"a#1?x.jpg"`:              "file:///arch%20ive/%C3%A4/a%231%3Fx.jpg",
		`"a\"b\\c.jpg"`:            "file:///arch%20ive/%C3%A4/a%22b%5Cc.jpg",
		`"./a/../b.jpg"`:           "file:///arch%20ive/%C3%A4/b.jpg",
		`"../b.jpg"`:               "file:///arch%20ive/b.jpg",
		`"/abs/b c.jpg"`:           "file:///abs/b%20c.jpg",
		`"a/b:c.jpg"`:              "file:///arch%20ive/%C3%A4/a/b:c.jpg",
		`"1:2.jpg"`:                "file:///arch%20ive/%C3%A4/1:2.jpg",
		`"file:///x.jpg"`:          "",
		`"https://a.org/x y.jpg"`:  "",
		`"urn:x"`:                  "",
		`"iiif+x-1.0:a"`:           "",
		`"//host/x.jpg"`:           "",
		`""`:                       "",
		`"a\u0000b"`:               "",
		`null`:                     "",
		`["x.jpg"]`:                "",
		`{"uri": "x.jpg"}`:         "",
	} {
		line := []byte(`{"id":"a", "media":[{"kind":"image","uri" : ` + in + ` ,"x":1}]}`)
		expected := string(line)
		if want != "" {
			expected = strings.Replace(expected, in, `"`+want+`"`, 1)
		}
		if got := absolute(line, base); string(got) != expected {
			t.Errorf("%s\n becomes %s\n want    %s", in, got, expected)
		}
		if want == "" {
			continue
		}
		u, err := url.Parse(want)
		if err != nil || !filepath.IsAbs(u.Path) || u.String() != want {
			t.Errorf("%s is no URI in its own form: %v", want, err)
		}
	}
}

// Only the uris of media are touched; everything else stays byte by byte.
func TestTheRestOfTheLineStays(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{ // "" for the same
		` {"x" : 1.50e+1 ,"media" :[ {"uri":"a" } , {"kind":"image"},{ "uri":"b","uri":"c"}], "uri":"d","z":"\u00e9"}  `: ` {"x" : 1.50e+1 ,"media" :[ {"uri":"file:///m/a" } , {"kind":"image"},{ "uri":"file:///m/b","uri":"file:///m/c"}], "uri":"d","z":"\u00e9"}  `,
		`{"media":{"uri":"a"}}`:                       `{"media":{"uri":"file:///m/a"}}`,
		`{"\u006dedia":[{"\u0075ri":"a"}]}`:           `{"\u006dedia":[{"\u0075ri":"file:///m/a"}]}`,
		`{"media":[{"uri":"a"}],"media":{"uri":"b"}}`: `{"media":[{"uri":"file:///m/a"}],"media":{"uri":"file:///m/b"}}`,
		`{"uri":"a","link":[{"uri":"a"}],"media":[{"meta":{"uri":"a"}},["uri","a"],"uri",5,[{"uri":"a"}]]}`: "",
		`{"Media":[{"uri":"a"}]}`:              "",
		`{"media":[{"URI":"a"}]}`:              "",
		`{"media":"uri"}`:                      "",
		`[{"media":[{"uri":"a"}]}]`:            "",
		`{"media":[{"uri":"a"}]`:               "",
		`{"media":[{"uri":"a"},]}`:             "",
		`{"media":[{"uri":"a"}}`:               "",
		`not json "uri"`:                       "",
		`"uri"`:                                "",
		``:                                     "",
		`{"media":` + strings.Repeat("[", 1e5): "",
	} {
		if want == "" {
			want = in
		}
		if got := absolute([]byte(in), "/m"); string(got) != want {
			t.Errorf("%.200s\n becomes %.200s\n want    %.200s", in, got, want)
		}
		if got := absolute([]byte(in), ""); string(got) != in {
			t.Errorf("without a base %.200s becomes %.200s", in, got)
		}
	}
}

// Against a model that decodes the whole line: the same document but for the uris.
func FuzzAbsolute(f *testing.F) {
	f.Add([]byte(`{"id":"a","media":[{"kind":"image","uri":"b c.jpg"}],"x":[1,{"uri":"y"}]}`))
	f.Add([]byte(`{"media":{"uri":"\ud800"}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var before, after map[string]any
		valid := json.Unmarshal(line, &before) == nil
		got := absolute(bytes.Clone(line), "/m")
		if !valid {
			return // such a line may be changed in its first document, and is refused by the daemon
		}
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%q becomes %q: %v", line, got, err)
		}
		mask(before)
		mask(after)
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("%q becomes %q", line, got)
		}
	})
}

// mask takes the uris of media out of a document.
func mask(doc map[string]any) {
	items, ok := doc["media"].([]any)
	if !ok {
		items = []any{doc["media"]}
	}
	for _, i := range items {
		if item, ok := i.(map[string]any); ok {
			if _, ok := item["uri"].(string); ok {
				item["uri"] = ""
			}
		}
	}
}

// A real feed: each uri leads to its picture, and nothing else of the line is changed.
func TestVases(t *testing.T) {
	t.Parallel()
	base, err := filepath.Abs("../../../shared/data")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(base, "vases.jsonl"))
	if err != nil {
		t.Skipf("no real feed here: %v", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	pictures := 0
	for lines.Scan() {
		got := absolute(lines.Bytes(), base)
		var a struct{ Media []struct{ URI string } }
		if err := json.Unmarshal(got, &a); err != nil {
			t.Fatal(err)
		}
		back := string(got)
		for _, m := range a.Media {
			u, err := url.Parse(m.URI)
			if err != nil || u.Scheme != "file" {
				t.Fatalf("%q: %v", m.URI, err)
			}
			if _, err := os.Stat(u.Path); err != nil {
				t.Errorf("%s leads nowhere: %v", m.URI, err)
			}
			name, err := filepath.Rel(base, u.Path)
			if err != nil {
				t.Fatal(err)
			}
			back = strings.Replace(back, `"`+m.URI+`"`, `"`+name+`"`, 1)
			pictures++
		}
		if back != lines.Text() {
			t.Errorf("more than the uri is changed:\n%s\n%s", got, lines.Text())
		}
	}
	if err := lines.Err(); err != nil || pictures == 0 {
		t.Errorf("%d pictures, %v", pictures, err)
	}
}

func TestRunMakesURIsAbsolute(t *testing.T) {
	t.Parallel()
	conn := connect(t, 1)
	in := `{"id":"a","media":[{"kind":"image","uri":"b.jpg"}]}` + "\n" + `{"id":"c"}`
	sum, err := Run(t.Context(), JSON(strings.NewReader(in)), conn, Options{Topic: topic, Base: "/m"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`a = {"id":"a","media":[{"kind":"image","uri":"file:///m/b.jpg"}]}`, `c = {"id":"c"}`}
	var size int64
	for i, m := range stored(t, conn, 1)[0] {
		if got := shown(m); got != want[i] {
			t.Errorf("record %s, want %s", got, want[i])
		}
		size += int64(len(m.Value))
	}
	if sum.Bytes != size {
		t.Errorf("%d bytes are counted, %d are in the topic", sum.Bytes, size)
	}
}
