package profile

import (
	"bytes"
	"encoding/json"
	"errors"
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
