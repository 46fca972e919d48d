package theme

import (
	"maps"
	"reflect"
	"testing"
)

// TestApart: a theme that stands apart changes no bit of what is said of the others, whatever comes and goes beside it, and has its own lists. The same theme changes
// nearly all of it where it does not.
func TestApart(t *testing.T) {
	t.Parallel()
	works, labels := world(21, 160)
	without := func(names ...string) map[string]Labels {
		out := map[string]Labels{}
		for id, own := range labels {
			own = maps.Clone(own)
			for _, name := range names {
				delete(own, name)
			}
			out[id] = own
		}
		return out
	}
	b := basisOf(t, DefaultConfig(), works[:120])
	before := fit(t, b, without("craft", "motif"), nil)
	one := fit(t, b, without("motif"), before)
	both := fit(t, b, labels, one)
	// said is all that a Model says of the works in a theme.
	said := func(m *Model, name string) (out []any) {
		profiles := make([]*Profile, len(works))
		for i := range works {
			profiles[i] = m.Profile(&works[i])
			out = append(out, m.Presence(name, profiles[i]), m.Predicted(name, profiles[i], most))
		}
		for i := range works {
			q := m.Ask(profiles[i])
			for j := range works {
				parts, _ := q.Compare(name, profiles[j])
				out = append(out, parts)
			}
		}
		return out
	}
	same := func(a, b []any) (n int) {
		for i := range a {
			if reflect.DeepEqual(a[i], b[i]) {
				n++
			}
		}
		return n
	}
	want := said(before, "number")
	for _, m := range []*Model{one.Apart("craft"), both.Apart("motif", "craft", "nobody's")} {
		if got := said(m, "number"); same(got, want) != len(want) {
			t.Errorf("of %d that were said of the works in a theme %d are the same when %v came apart", len(want), same(got, want), m.Themes())
		}
	}
	if got := said(one, "number"); same(got, want) > len(want)/2 {
		t.Errorf("of %d that were said of the works %d are the same with a theme that does not stand apart: the test tells nothing", len(want), same(got, want))
	}
	// Nor does one that stands apart change another.
	alone, beside := said(one.Apart("craft"), "craft"), said(both.Apart("motif", "craft"), "craft")
	if same(alone, beside) != len(alone) {
		t.Errorf("%d of %d are the same in a theme apart when another came", same(alone, beside), len(alone))
	}
	// It tells works apart by its terms.
	m := one.Apart("craft")
	standsApart := func(m *Model, theme string) bool {
		i, ok := m.find(theme)
		return ok && m.isApart(i)
	}
	if !standsApart(m, "craft") || standsApart(m, "number") || standsApart(m, "motif") || standsApart(one, "craft") {
		t.Error("other themes stand apart than were asked to")
	}
	found := 0
	for i := 120; i < len(works); i++ {
		p := m.Profile(&works[i])
		if m.Presence("craft", p) > 0.5 {
			found++
			if parts, _ := m.Ask(p).Compare("craft", p); !(parts.Terms > 0.1 && parts.Neighbours > 0.04) {
				t.Errorf("work %d is like itself by %+v", i, parts)
			}
		}
	}
	if found < 5 {
		t.Errorf("%d works have the theme", found)
	}
}
