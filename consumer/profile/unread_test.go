package profile

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func TestUnread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		record string
		want   []string
	}{
		{`{"title":"kilim"}`, nil},
		{`{"titel":"kilim","title":"x"}`, []string{"titel"}},
		{`{"title":"x","__op":"c","_id":"1"}`, nil},
		{`{"title":"x","date":{"begin":"about 1850"}}`, []string{"date"}},
		{`{"title":"x","date":{"begin":"1850","text":"mid 19th century"}}`, nil},
		{`{"title":"x","date":{"text":"mid 19th century"}}`, nil},
		{`{"title":"x","` + strings.Repeat("y", unreadBytes+1) + `":1}`, nil},
	} {
		a, err := Parse([]byte(c.record), "k", Limits{})
		if err != nil || !reflect.DeepEqual(a.Unread, c.want) {
			t.Errorf("%s: %q (%v), want %q", c.record, a.Unread, err, c.want)
		}
	}
	var many strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&many, `,"f%d":1`, i)
	}
	if a, err := Parse([]byte(`{"title":"x"`+many.String()+`}`), "k", Limits{}); err != nil || len(a.Unread) != unreadNames {
		t.Errorf("of 5,000 unknown fields %d are kept (%v)", len(a.Unread), err)
	}
}

// TestFieldsAreNamed: the names that Suggest knows are those that field reads.
func TestFieldsAreNamed(t *testing.T) {
	t.Parallel()
	for _, name := range names {
		p := &parser{cursor: cursor{b: []byte(`null`)}, a: &Artifact{}, lim: Limits{}.withDefaults()}
		if err := p.field(name); err != nil || len(p.a.Unread) > 0 {
			t.Errorf("%s: %v, unread %q", name, err, p.a.Unread)
		}
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"titel": "title", "Title": "title", "cultures": "culture", "colection": "collection", "techniqe": "technique", "medium": "media", "ID": "id",
		"title": "", "shelfmark": "", "x": "", "": "", "tipe": "type", "typ": "type", strings.Repeat("title", 100): "",
	} {
		if got := Suggest(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// TestDistance compares with the definition.
func TestDistance(t *testing.T) {
	t.Parallel()
	var dull func(a, b string) int
	dull = func(a, b string) int {
		switch {
		case a == "" || b == "":
			return len(a) + len(b)
		case a[0] == b[0]:
			return dull(a[1:], b[1:])
		}
		return 1 + min(dull(a[1:], b), dull(a, b[1:]), dull(a[1:], b[1:]))
	}
	r := rand.New(rand.NewPCG(1, 1))
	word := func() string {
		b := make([]byte, r.IntN(7))
		for i := range b {
			b[i] = "abc"[r.IntN(3)]
		}
		return string(b)
	}
	for range 500 {
		a, b := word(), word()
		if got, want := distance(a, b), dull(a, b); got != want {
			t.Fatalf("%q, %q: %d, want %d", a, b, got, want)
		}
	}
}
