package profile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"testing"
)

// FuzzParse holds Parse against encoding/json: what it accepts is JSON and
// reads the same there, a refusal has a known reason, and an artifact read
// again from its Raw is the same one.
func FuzzParse(f *testing.F) {
	for _, h := range hostile {
		if len(h.raw) < 4096 {
			f.Add([]byte(h.raw), h.key)
		}
	}
	f.Add([]byte(`{"id":"a","title":"\u00e9\ud83d\ude00\"\\","culture":[{"id":"x","label":"y"},"z"],"media":[{"kind":"text","text":"t","embedding":[1e-50,-0],"encoder":"e"}]}`), "a")
	f.Add([]byte(`{"date":{"begin":2,"end":"1"},"location":{"lat":1,"lon":2},"theme":{"m":"x"},"link":{"type":"t","target":"u"},"x":[{}]}`), "k")
	f.Add([]byte(`{"x":1e999,"y":-0.0}`), "k")
	f.Fuzz(func(t *testing.T, raw []byte, key string) {
		a, err := Parse(raw, key, Limits{})
		if err != nil {
			var r *Refusal
			if !errors.As(err, &r) || !slices.Contains(Reasons(), r.Reason) {
				t.Fatalf("refused with %v", err)
			}
			if a != nil {
				t.Fatal("both an artifact and a refusal")
			}
			return
		}
		var std map[string]any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber() // a number of an unknown field may be of any size
		if err := d.Decode(&std); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if title, ok := std["title"].(string); ok && title != a.Title {
			t.Fatalf("title %q, encoding/json reads %q", a.Title, title)
		}
		again, err := Parse(a.Raw, a.ID, Limits{})
		if err != nil {
			t.Fatalf("accepted, then refused from Raw: %v", err)
		}
		if !reflect.DeepEqual(a, again) {
			t.Fatalf("first %+v\nthen  %+v", a, again)
		}
	})
}

// FuzzLines: whatever a file is, what Lines gives is the file itself without its byte order mark, or lines that are JSON each.
func FuzzLines(f *testing.F) {
	for _, s := range []string{"{}\n{}", "[{},\n{}]", "{\n\"a\":1}\n{\n}", "\ufeff[1]", "{\"a\n{}", "[", "\x1f\x8b", "BZh91AY&SY", "\x28\xb5\x2f\xfd", "[1]2", "{\n", "{\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		in, err := Lines(bytes.NewReader(file), 1<<16)
		if err != nil {
			return
		}
		got, err := io.ReadAll(io.LimitReader(in, 1<<22))
		if plain, marked := bytes.CutPrefix(file, byteOrderMark); err == nil && (bytes.Equal(got, file) || marked && bytes.Equal(got, plain)) {
			return
		}
		if text, _, _ := unpack(bufio.NewReader(bytes.NewReader(file)), file); text != nil {
			return
		}
		for line := range bytes.Lines(got) {
			if !json.Valid(line) {
				t.Fatalf("%q becomes %q (%v)", file, line, err)
			}
		}
	})
}
