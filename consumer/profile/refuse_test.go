package profile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// hostile are records that must be refused, each for its reason and naming the
// field at fault.
var hostile = []struct{ name, key, raw, reason, field string }{
	{"empty", "k", "", ReasonNotJSON, "record"},
	{"cut off", "k", `{"id":"k"`, ReasonNotJSON, "record"},
	{"two values", "k", `{"id":"k"}{}`, ReasonNotJSON, "record"},
	{"byte order mark", "k", "\ufeff{}", ReasonNotJSON, "record"},
	{"NaN", "k", `{"date":{"begin":NaN}}`, ReasonNotJSON, "record"},
	{"control character", "k", "{\"title\":\"a\nb\"}", ReasonNotJSON, "record"},
	{"comment", "k", `{} // no`, ReasonNotJSON, "record"},
	{"not UTF-8", "k", "{\"title\":\"\xff\"}", ReasonNotUTF8, "record"},
	{"Latin-1", "k", "{\"title\":\"caf\xe9\"}", ReasonNotUTF8, "record"},
	{"UTF-16", "k", "\xff\xfe{\x00}\x00", ReasonNotUTF8, "record"},
	{"surrogate bytes", "k", "{\"title\":\"\xed\xa0\x80\"}", ReasonNotUTF8, "record"},
	{"lone high surrogate", "k", `{"title":"\ud800x"}`, ReasonNotUTF8, "record"},
	{"lone low surrogate", "k", `{"other":"\uDC00"}`, ReasonNotUTF8, "record"},
	{"surrogates turned round", "k", `{"title":"\udc00\ud800"}`, ReasonNotUTF8, "record"},
	{"high surrogate at the end", "k", `{"title":"\\\ud834"}`, ReasonNotUTF8, "record"},
	{"list", "k", `[]`, ReasonNotObject, "record"},
	{"string", "k", `"k"`, ReasonNotObject, "record"},
	{"number", "k", `12`, ReasonNotObject, "record"},
	{"null", "k", `null`, ReasonNotObject, "record"},
	{"too large", "k", `{"title":"` + strings.Repeat("x", 1<<20) + `"}`, ReasonTooLarge, "record"},
	{"deep", "k", `{"other":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, ReasonTooDeep, "record"},
	{"bomb", "k", strings.Repeat(`{"a":`, 100000), ReasonTooDeep, "record"},
	{"field twice", "k", `{"title":"a","title":"b"}`, ReasonDuplicateField, "title"},
	{"field twice, escaped", "k", `{"id":"k","i\u0064":"k"}`, ReasonDuplicateField, "id"},
	{"unknown field twice", "k", `{"x":1,"x":1}`, ReasonDuplicateField, "x"},
	{"inner field twice", "k", `{"media":[{"kind":"text","text":"a","text":"b"}]}`, ReasonDuplicateField, "media[0].text"},
	{"no id", "", `{"title":"x"}`, ReasonNoID, "id"},
	{"empty id", "", `{"id":""}`, ReasonNoID, "id"},
	{"id of another type", "k", `{"id":true}`, ReasonWrongType, "id"},
	{"id not whole", "k", `{"id":7.5}`, ReasonWrongType, "id"},
	{"id with an exponent", "k", `{"id":7e1}`, ReasonWrongType, "id"},
	{"number of another key", "k", `{"id":7}`, ReasonIDMismatch, "id"},
	{"blank id", "", `{"id":" \t"}`, ReasonBadID, "id"},
	{"blank key", " ", `{"title":"x"}`, ReasonBadID, "key"},
	{"no field", "k", `{}`, ReasonNoFields, "record"},
	{"unknown fields only", "k", `{"name":"Vase","dept":7}`, ReasonNoFields, "record"},
	{"unknown fields beside an id", "k", `{"id":"k","name":"Vase"}`, ReasonNoFields, "record"},
	{"other case", "k", `{"ID":"k","Title":"Vase"}`, ReasonNoFields, "record"},
	{"edges in all", "k", `{"subject":[` + strings.Repeat(`"a",`, 2048) + `"a"],"type":[` + strings.Repeat(`"a",`, 2048) + `"a"]}`, ReasonTooMany, "record"},
	{"long id", "", `{"id":"` + strings.Repeat("x", 1025) + `"}`, ReasonBadID, "id"},
	{"long key", strings.Repeat("x", 1025), `{}`, ReasonBadID, "key"},
	{"control in id", "", `{"id":"a\u0000b"}`, ReasonBadID, "id"},
	{"C1 control in id", "", `{"id":"a\u0085b"}`, ReasonBadID, "id"},
	{"control in key", "a\tb", `{}`, ReasonBadID, "key"},
	{"key not UTF-8", "\xff", `{}`, ReasonBadID, "key"},
	{"another key", "k", `{"id":"l"}`, ReasonIDMismatch, "id"},
	{"title a number", "k", `{"title":1}`, ReasonWrongType, "title"},
	{"title a list of two", "k", `{"title":["a","b"]}`, ReasonWrongType, "title"},
	{"title in two lists", "k", `{"title":[["a"]]}`, ReasonWrongType, "title"},
	{"term a number", "k", `{"culture":["a",5]}`, ReasonWrongType, "culture[1]"},
	{"term a list", "k", `{"culture":[["a"]]}`, ReasonWrongType, "culture[0]"},
	{"terms true", "k", `{"culture":true}`, ReasonWrongType, "culture[0]"},
	{"term's label", "k", `{"place":[{"label":{}}]}`, ReasonWrongType, "place[0].label"},
	{"too many terms", "k", `{"subject":[` + strings.Repeat(`"a",`, 4096) + `"a"]}`, ReasonTooMany, "subject"},
	{"date a string", "k", `{"date":"1900"}`, ReasonWrongType, "date"},
	{"year a list", "k", `{"date":{"begin":[1,2]}}`, ReasonWrongType, "date.begin"},
	{"year out of range", "k", `{"date":{"end":-1e8}}`, ReasonOutOfRange, "date.end"},
	{"year as text out of range", "k", `{"date":{"end":"99999999"}}`, ReasonOutOfRange, "date.end"},
	{"year beyond float64", "k", `{"date":{"end":1e999}}`, ReasonOutOfRange, "date.end"},
	{"latitude", "k", `{"location":{"lat":90.01,"lon":0}}`, ReasonOutOfRange, "location.lat"},
	{"longitude", "k", `{"location":{"lat":0,"lon":-181}}`, ReasonOutOfRange, "location.lon"},
	{"latitude a string", "k", `{"location":{"lat":"5","lon":0}}`, ReasonWrongType, "location.lat"},
	{"latitudes", "k", `{"location":{"lat":[5,6],"lon":0}}`, ReasonWrongType, "location.lat"},
	{"dates", "k", `{"date":[{"begin":1},{"begin":2}]}`, ReasonWrongType, "date"},
	{"date in two lists", "k", `{"date":[[{"begin":1}]]}`, ReasonWrongType, "date"},
	{"half a location", "k", `{"location":{"lat":5}}`, ReasonWrongType, "location.lon"},
	{"location a list", "k", `{"location":[1,2]}`, ReasonWrongType, "location"},
	{"media a string", "k", `{"media":["x.jpg"]}`, ReasonWrongType, "media[0]"},
	{"media without kind", "k", `{"media":[{"uri":"x"}]}`, ReasonMediaKind, "media[0].kind"},
	{"unknown kind", "k", `{"media":[{"kind":"video","uri":"x"}]}`, ReasonMediaKind, "media[0].kind"},
	{"no content", "k", `{"media":[{"kind":"text"}]}`, ReasonMediaEmpty, "media[0]"},
	{"blank content", "k", `{"media":[{"kind":"text","text":" ","uri":"","data":"","embedding":[]}]}`, ReasonMediaEmpty, "media[0]"},
	{"bad base64", "k", `{"media":[{"kind":"image","data":"*"}]}`, ReasonBadBase64, "media[0].data"},
	{"mixed base64", "k", `{"media":[{"kind":"image","data":"+_8="}]}`, ReasonBadBase64, "media[0].data"},
	{"cut base64", "k", `{"media":[{"kind":"image","data":"abcde"}]}`, ReasonBadBase64, "media[0].data"},
	{"data a number", "k", `{"media":[{"kind":"image","data":7}]}`, ReasonWrongType, "media[0].data"},
	{"no encoder", "k", `{"media":[{"kind":"text","embedding":[1]}]}`, ReasonNoEncoder, "media[0].encoder"},
	{"long encoder", "k", `{"media":[{"kind":"text","embedding":[1],"encoder":"` + strings.Repeat("e", 257) + `"}]}`, ReasonTooLarge, "media[0].encoder"},
	{"beyond float32", "k", `{"media":[{"kind":"text","encoder":"e","embedding":[0,1e39]}]}`, ReasonEmbeddingRange, "media[0].embedding[1]"},
	{"beyond float64", "k", `{"media":[{"kind":"text","encoder":"e","embedding":[-1e400]}]}`, ReasonEmbeddingRange, "media[0].embedding[0]"},
	{"embedding of strings", "k", `{"media":[{"kind":"text","encoder":"e","embedding":["1"]}]}`, ReasonWrongType, "media[0].embedding[0]"},
	{"embedding of nulls", "k", `{"media":[{"kind":"text","encoder":"e","embedding":[null]}]}`, ReasonWrongType, "media[0].embedding[0]"},
	{"embedding a string", "k", `{"media":[{"kind":"text","encoder":"e","embedding":"AAAA"}]}`, ReasonWrongType, "media[0].embedding"},
	{"embedding of zeros", "k", `{"media":[{"kind":"text","encoder":"e","embedding":[0,-0,0e9]}]}`, ReasonEmbeddingRange, "media[0].embedding"},
	{"embedding almost of zeros", "k", `{"media":[{"kind":"text","encoder":"e","embedding":[1e-10]}]}`, ReasonEmbeddingRange, "media[0].embedding"},
	{"embeddings", "k", `{"media":[{"kind":"text","encoder":"e","embedding":[[1],[2]]}]}`, ReasonWrongType, "media[0].embedding"},
	{"embedding in three lists", "k", `{"media":[{"kind":"text","encoder":"e","embedding":[[[1]]]}]}`, ReasonWrongType, "media[0].embedding"},
	{"embedding too long", "k", `{"media":[{"kind":"text","encoder":"e","embedding":[` + strings.Repeat("0,", 16384) + `0]}]}`, ReasonTooMany, "media[0].embedding"},
	{"theme a list", "k", `{"theme":["a"]}`, ReasonWrongType, "theme"},
	{"theme's labels", "k", `{"theme":{"motif":[1]}}`, ReasonWrongType, "theme.motif[0]"},
	{"theme without name", "k", `{"theme":{"":["a"]}}`, ReasonOutOfRange, "theme."},
	{"link a string", "k", `{"link":["l"]}`, ReasonWrongType, "link[0]"},
	{"link without target", "k", `{"link":[{"type":"part_of"}]}`, ReasonBadLink, "link[0].target"},
	{"link without type", "k", `{"link":[{"type":null,"target":"l"}]}`, ReasonBadLink, "link[0].type"},
	{"link to itself", "k", `{"link":[{"type":"t","target":"l"},{"type":"t","target":"k"}]}`, ReasonBadLink, "link[1].target"},
	{"link with control", "k", `{"link":[{"type":"t","target":"a\nb"}]}`, ReasonBadLink, "link[0].target"},
	{"long link", "k", `{"link":[{"type":"t","target":"` + strings.Repeat("x", 1025) + `"}]}`, ReasonBadLink, "link[0].target"},
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, tt := range hostile {
		seen[tt.reason] = true
		a, err := Parse([]byte(tt.raw), tt.key, Limits{})
		var r *Refusal
		if !errors.As(err, &r) {
			t.Errorf("%s: got %+v, %v; want %s", tt.name, a, err, tt.reason)
			continue
		}
		if r.Reason != tt.reason || r.Field != tt.field {
			t.Errorf("%s: got %v (field %q), want %s in %s", tt.name, r, r.Field, tt.reason, tt.field)
		}
		if len(r.Error()) > 600 {
			t.Errorf("%s: a message of %d bytes", tt.name, len(r.Error()))
		}
	}
	elsewhere := []string{ReasonEmbeddingLength, ReasonBadEnvelope, ReasonPanic, ReasonUnprocessable}
	for _, reason := range Reasons() {
		if seen[reason] == slices.Contains(elsewhere, reason) {
			t.Errorf("reason %s: tested here %v", reason, seen[reason])
		}
	}
}

// TestLimits feeds each limit with what is just allowed, then with one more.
func TestLimits(t *testing.T) {
	t.Parallel()
	id := func(n int) string { return fmt.Sprintf(`{"id":"%s"}`, strings.Repeat("x", n)) }
	terms := func(n int) string { return `{"type":[` + strings.TrimSuffix(strings.Repeat(`"a",`, n), ",") + `]}` }
	deep := func(n int) string {
		return `{"title":"","a":` + strings.Repeat(`{"a":`, n-2) + "{}" + strings.Repeat("}", n-1)
	}
	edges := func(n int) string {
		return `{"date":{"begin":1},"media":{"kind":"text","text":"x"},"link":{"type":"t","target":"u"},"place":["x"],` + terms(n - 5)[1:]
	}
	size := func(n int) string { return `{"title":"` + strings.Repeat("x", n-len(`{"title":""}`)) + `"}` }
	for _, tt := range []struct {
		name  string
		lim   Limits
		make  func(int) string
		limit int
	}{
		{"id", Limits{IDBytes: 10}, id, 10},
		{"items", Limits{Items: 3}, terms, 3},
		{"edges", Limits{Edges: 9}, edges, 9},
		{"depth", Limits{Depth: 5}, deep, 5},
		{"size", Limits{RecordBytes: 50}, size, 50},
	} {
		key := "k"
		if tt.name == "id" {
			key = ""
		}
		if _, err := Parse([]byte(tt.make(tt.limit)), key, tt.lim); err != nil {
			t.Errorf("%s: at the limit: %v", tt.name, err)
		}
		if _, err := Parse([]byte(tt.make(tt.limit+1)), key, tt.lim); err == nil {
			t.Errorf("%s: one more than the limit was accepted", tt.name)
		}
	}
}
