package profile

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func year(v float64) *float64 { return &v }

func TestParse(t *testing.T) {
	t.Parallel()
	raw := `{"id": "a:1", "title": "Tr\u00e9s \ud83d\ude00", "description": ["one"], "language": null, "culture": "Greek",
	  "creator": [{"id": "http://x/1", "label": "Someone"}, {"id": "http://x/2"}, "", null, {}, "Else"],
	  "date": {"begin": -500.5, "end": "-450", "text": "5th c."}, "digitized": "2008-09-25T17:09:33.997",
	  "location": {"lat": -90, "lon": 180}, "shelf": {"any": [1, {"b": "}]"}]},
	  "media": [{"kind": "image", "uri": "x.jpg", "data": "aGk=", "media_type": "image/jpeg"},
	            {"kind": "text", "text": "words", "embedding": [3, -0, 4e0], "encoder": "e5", "note": 1}],
	  "theme": {"motif": ["knot", ""], "music": "lament", "none": []},
	  "link": {"type": "part_of", "target": "a:2"}}`
	want := &Artifact{
		ID: "a:1", Title: "Trés 😀", Description: "one",
		Culture:   []Term{{Label: "Greek"}},
		Creator:   []Term{{ID: "http://x/1", Label: "Someone"}, {ID: "http://x/2"}, {Label: "Else"}},
		Date:      &Date{Begin: year(-500.5), End: year(-450), Text: "5th c."},
		Digitized: "2008-09-25T17:09:33.997",
		Location:  &Location{Lat: -90, Lon: 180},
		Media: []Media{
			{Kind: Image, URI: "x.jpg", Data: []byte("hi"), MediaType: "image/jpeg"},
			{Kind: Text, Text: "words", Embedding: []float32{0.6, 0, 0.8}, Encoder: "e5"},
		},
		Theme: map[string][]string{"motif": {"knot"}, "music": {"lament"}},
		Link:  []Link{{Type: "part_of", Target: "a:2"}}, Unread: []string{"shelf"},
		Raw: []byte(raw),
	}
	got, err := Parse([]byte(raw), "a:1", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseTakesTheKeyForAnID(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`{"title":"x"}`, `{"id": null}`, `{"id": ""}`, `{"ID": "other case", "title":"x"}`} {
		a, err := Parse([]byte(raw), "k", Limits{})
		if err != nil || a.ID != "k" {
			t.Errorf("%s: got %+v, %v; want the id k", raw, a, err)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		json string
		want *Date
	}{
		{`null`, nil},
		{`{}`, nil},
		{`{"begin": null, "end": null, "text": null}`, nil},
		{`{"begin": 1828, "end": 1819, "text": "1828-9"}`, &Date{Begin: year(1819), End: year(1828), Text: "1828-9"}},
		{`{"begin": "no date", "end": null, "text": "no date"}`, &Date{Text: "no date"}},
		{`{"begin": "c.1997-9"}`, &Date{Text: "c.1997-9"}},
		{`{"begin": "2007", "end": 2008}`, &Date{Begin: year(2007), End: year(2008)}},
		{`{"begin": "NaN", "end": "+Inf"}`, &Date{Text: "NaN"}},
		{`{"begin": "1899-06-20", "end": "1899-07-17"}`, &Date{Begin: year(1899), End: year(1899)}},
		{`{"begin": "1984-01-01T00:00:00.000Z", "end": "1984-12"}`, &Date{Begin: year(1984), End: year(1984)}},
		{`{"begin": "-0043-03-15", "end": "+012024-01-01 10:00:00+02:00"}`, &Date{Begin: year(-43), End: year(12024)}},
		{`{"begin": "18990620", "end": " 1900-00-00 "}`, &Date{Begin: year(1899), End: year(1900)}},
		{`{"begin": "1899-06-20Z", "end": "1900-06-20+01:00"}`, &Date{Begin: year(1899), End: year(1900)}},
		{`{"begin": "1828-29"}`, &Date{Text: "1828-29"}},
		{`{"begin": "1899-06-32"}`, &Date{Text: "1899-06-32"}},
		{`{"begin": "1899-13-01"}`, &Date{Text: "1899-13-01"}},
		{`{"begin": "1899-06-20 or later"}`, &Date{Text: "1899-06-20 or later"}},
		{`{"begin": "0000-00-00"}`, &Date{Text: "0000-00-00"}},
		{`{"begin": "189-06-20"}`, &Date{Text: "189-06-20"}},
		{`{"begin": "1899-06-20T"}`, &Date{Text: "1899-06-20T"}},
		{`[{"begin": [1889], "end": ["1890"], "text": ["x"]}]`, &Date{Begin: year(1889), End: year(1890), Text: "x"}},
		{`[]`, nil},
		{`[null]`, nil},
		{`{"begin": [], "end": [null], "text": "x"}`, &Date{Text: "x"}},
		{`{"begin": -1e7}`, &Date{Begin: year(-1e7)}},
	}
	for _, tt := range tests {
		a, err := Parse([]byte(`{"date":`+tt.json+`}`), "k", Limits{})
		if err != nil {
			t.Errorf("%s: %v", tt.json, err)
		} else if !reflect.DeepEqual(a.Date, tt.want) {
			t.Errorf("%s: got %+v, want %+v", tt.json, a.Date, tt.want)
		}
	}
}

func TestBase64(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"+/8=", "+/8", "-_8=", "-_8", `+/\n8=`} {
		a, err := Parse([]byte(`{"media":{"kind":"image","data":"`+s+`"}}`), "k", Limits{})
		if err != nil {
			t.Errorf("%s: %v", s, err)
		} else if got := string(a.Media[0].Data); got != "\xfb\xff" {
			t.Errorf("%s: got %x, want fbff", s, got)
		}
	}
}

func TestCheckEmbeddings(t *testing.T) {
	t.Parallel()
	dims := func(name string) (int, bool) { return 3, name == "known" }
	tests := []struct{ media, field string }{
		{`{"kind":"text","embedding":[1,2,3],"encoder":"known"}`, ""},
		{`{"kind":"text","embedding":[1,2],"encoder":"known"}`, "media[0].embedding"},
		{`{"kind":"text","embedding":[1,2],"encoder":"new"}`, ""},
		{`{"kind":"text","text":"x","encoder":"known"}`, ""},
		{`[{"kind":"text","embedding":[1,2],"encoder":"new"},{"kind":"text","embedding":[1],"encoder":"other"},
		  {"kind":"text","embedding":[1],"encoder":"new"}]`, "media[2].embedding"},
	}
	for _, tt := range tests {
		a, err := Parse([]byte(`{"media":`+tt.media+`}`), "k", Limits{})
		if err != nil {
			t.Fatalf("%s: %v", tt.media, err)
		}
		err = a.CheckEmbeddings(dims)
		var r *Refusal
		switch {
		case tt.field == "" && err != nil:
			t.Errorf("%s: %v", tt.media, err)
		case tt.field != "" && (!errors.As(err, &r) || r.Reason != ReasonEmbeddingLength || r.Field != tt.field):
			t.Errorf("%s: got %v, want %s in %s", tt.media, err, ReasonEmbeddingLength, tt.field)
		}
	}
}

func TestRefusalStaysReadable(t *testing.T) {
	t.Parallel()
	for _, value := range []string{strings.Repeat("é", 4000), "\xff\xfe\x00", strings.Repeat("\xff", 4000), "a\nb"} {
		r := Refuse(ReasonBadID, "id", value, "detail")
		if !utf8.ValidString(r.Value) || len(r.Value) > 5*valueBytes || strings.ContainsAny(r.Value, "\n\x00") {
			t.Errorf("%.20q: the value became %q", value, r.Value)
		}
		if msg := r.Error(); !strings.HasPrefix(msg, "bad_id: id ") || !strings.HasSuffix(msg, ": detail") {
			t.Errorf("message %q", msg)
		}
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	f, r := Object([]byte(` {"a": {"b":[1]} , "c":null} `), Limits{})
	if r != nil {
		t.Fatal(r)
	}
	if len(f) != 2 || string(f["a"]) != `{"b":[1]}` || string(f["c"]) != "null" {
		t.Errorf("got %q", f)
	}
	for _, bad := range []string{"", "[]", `{"a":1,"a":2}`, "{"} {
		if f, r := Object([]byte(bad), Limits{}); r == nil {
			t.Errorf("%s: got %q, want a refusal", bad, f)
		}
	}
}

// What archives export from XML has a list around each value.
func TestListsOfOne(t *testing.T) {
	t.Parallel()
	plain := `{"id":"a","title":"T","culture":"x","date":{"begin":1,"end":2,"text":"t"},"location":{"lat":51.5,"lon":-0.1},
		"media":{"kind":"text","text":"w","embedding":[3,4],"encoder":"e"},"theme":{"m":"l"},"link":{"type":"t","target":"b"}}`
	listed := `{"id":["a"],"title":["T"],"culture":[{"label":["x"],"id":[]}],"date":[{"begin":[1],"end":[2],"text":["t"]}],"location":[{"lat":[51.5],"lon":[-0.1]}],
		"media":[{"kind":["text"],"text":["w"],"embedding":[[3,4]],"encoder":["e"]}],"theme":[{"m":["l"]}],"link":[{"type":["t"],"target":["b"]}]}`
	want, err := Parse([]byte(plain), "", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse([]byte(listed), "a", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	got.Raw = want.Raw
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWholeNumbersAreIDs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		`5`: "5", `"5"`: "5", `[5]`: "5", `5.0`: "5", `-7`: "-7", `-0`: "0", `0`: "0", `12345678901234567890123`: "12345678901234567890123",
		`5.5`: "", `5e3`: "", `1.0e1`: "", `true`: "", `{}`: "", `[5,6]`: "", `[[5]]`: "", `null`: "", `[]`: "",
	} {
		if got := ID([]byte(id)); got != want {
			t.Errorf("%s: the id %q, want %q", id, got, want)
		}
		if want == "" {
			continue
		}
		a, err := Parse([]byte(`{"id":`+id+`,"link":{"type":"t","target":600}}`), want, Limits{})
		if err != nil || a.ID != want || a.Link[0].Target != "600" {
			t.Errorf("%s: got %+v, %v", id, a, err)
		}
	}
}

// A vector comes in any length and is kept by its direction; the squares of the largest numbers do not fit float32.
func TestEmbeddingsHaveLengthOne(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 2271} {
		for _, x := range []string{"3e38", "-3.4e38", "1", "1e-7", "0.5", "1e-30"} {
			a, err := Parse([]byte(`{"media":{"kind":"image","encoder":"e","embedding":[`+strings.TrimSuffix(strings.Repeat(x+",", n), ",")+`]}}`), "k", Limits{})
			if x == "1e-30" {
				var r *Refusal
				if !errors.As(err, &r) || r.Reason != ReasonEmbeddingRange || r.Field != "media[0].embedding" {
					t.Errorf("%d of %s: got %v", n, x, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%d of %s: %v", n, x, err)
				continue
			}
			squares := 0.0
			for _, v := range a.Media[0].Embedding {
				squares += float64(v) * float64(v)
			}
			if math.Abs(squares-1) > 1e-5 || len(a.Media[0].Embedding) != n {
				t.Errorf("%d of %s: a vector of %d numbers, of squared length %v", n, x, len(a.Media[0].Embedding), squares)
			}
		}
	}
}

func TestBlankTerms(t *testing.T) {
	t.Parallel()
	a, err := Parse([]byte(`{"culture":[{"id":" ","label":"Ottoman"},{"id":"\u00a0\t","label":"Navajo"},{"id":" u ","label":" "},{"id":"","label":"\n"}," "]}`), "k", Limits{})
	want := []Term{{Label: "Ottoman"}, {Label: "Navajo"}, {ID: "u"}}
	if err != nil || !reflect.DeepEqual(a.Culture, want) {
		t.Errorf("got %+v, %v; want %+v", a, err, want)
	}
}
