package theme

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"kilim/consumer/profile"
	"kilim/graphstore/weave"
)

// TestVectors: the square of a vector's length is the sum of the shares of the views in which the work has anything, and an endless text has as many coordinates as a view may give.
func TestVectors(t *testing.T) {
	t.Parallel()
	works, _ := world(14, 60)
	var long []string
	for i := range 20 * widest {
		long = append(long, fmt.Sprintf("word%d", i))
	}
	book := Work{ID: "book", Texts: []weave.Text{{Body: strings.Join(long, " ")}}}
	works = append(works, book, Work{ID: "copy", Texts: book.Texts})
	s, err := newSpace(works)
	if err != nil {
		t.Fatal(err)
	}
	for i := range works {
		v := s.vector(&works[i])
		want := 0.0
		for of := range numViews {
			if len(s.only(of, v)) > 0 {
				want += share[of]
			}
		}
		if works[i].Title.Body == "" && len(v) != widest {
			t.Errorf("%s has %d coordinates, want %d", works[i].ID, len(v), widest)
		}
		if got := v.dot(v); math.Abs(got-want) > 1e-5 {
			t.Errorf("%s has the squared length %g, want %g", works[i].ID, got, want)
		}
		if !slices.IsSortedFunc(v, byFeature) {
			t.Errorf("%s: the coordinates are not by feature", works[i].ID)
		}
	}
}

// TestShared lists what artifacts share beyond their words.
func TestShared(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		record string
		has    []string
		lacks  []string
	}{
		{`"material":["Oil paint on canvas"]`, []string{"material oil paint on canvas", "part oil", "part canvas"}, []string{"part oil paint"}},
		{`"technique":[{"id":"http://t/1","label":"Pen, ink"}]`, []string{"technique http://t/1", "part pen", "part ink"}, []string{"part http://t/1"}},
		{`"creator":["Bellini (after)"]`, []string{"creator bellini (after)", "creator bellini"}, []string{"part bellini"}},
		{`"place":["(?)"]`, []string{"place (?)"}, []string{"place "}},
		{`"date":{"begin":1871,"end":1893}`, []string{"decade 187", "decade 188", "decade 189", "century 18"}, []string{"century 19"}},
		{`"date":{"begin":-10,"end":120}`, []string{"century -1", "century 0", "century 1"}, []string{"decade -1", "decade 12"}},
		{`"date":{"begin":1000,"end":1500}`, nil, []string{"century 10", "century 12"}},
		{`"date":{"end":1871}`, []string{"decade 187", "century 18"}, nil},
	} {
		a, err := profile.Parse([]byte(`{"id":"a",`+c.record+`}`), "", profile.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		got := shared(a)
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], "\x00", " ")
		}
		for _, name := range c.has {
			if !slices.Contains(got, name) {
				t.Errorf("%s shares %q, not %q", c.record, got, name)
			}
		}
		for _, name := range c.lacks {
			if slices.Contains(got, name) {
				t.Errorf("%s shares %q", c.record, name)
			}
		}
	}
}
