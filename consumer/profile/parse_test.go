package profile

import (
	"errors"
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
	            {"kind": "text", "text": "words", "embedding": [1, -2.5e-1, 3.4e38], "encoder": "e5", "note": 1}],
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
			{Kind: Text, Text: "words", Embedding: []float32{1, -0.25, 3.4e38}, Encoder: "e5"},
		},
		Theme: map[string][]string{"motif": {"knot"}, "music": {"lament"}},
		Link:  []Link{{Type: "part_of", Target: "a:2"}},
		Raw:   []byte(raw),
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
	for _, raw := range []string{`{}`, `{"id": null}`, `{"id": ""}`, `{"ID": "other case"}`} {
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
