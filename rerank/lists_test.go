package rerank

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"
)

func contain(err error, what string) bool { return err != nil && strings.Contains(err.Error(), what) }

func ids(list []Entry) []string {
	out := []string{}
	for _, e := range list {
		out = append(out, e.ID)
	}
	return out
}

func list(names string) []Entry {
	var out []Entry
	for i, id := range strings.Fields(names) {
		out = append(out, Entry{ID: id, Score: 1 - float32(i)/100})
	}
	return out
}

func TestTopKIsTheSortedHead(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		entries := make([]Entry, rng.IntN(60))
		for i := range entries { // few scores: many ties
			entries[i] = Entry{ID: fmt.Sprintf("%03d", rng.Perm(60)[0]*100+i), Score: float32(rng.IntN(5))}
		}
		before := slices.Clone(entries)
		sorted := slices.Clone(entries)
		sort.Slice(sorted, func(i, j int) bool {
			return sorted[i].Score > sorted[j].Score || sorted[i].Score == sorted[j].Score && sorted[i].ID < sorted[j].ID
		})
		k := rng.IntN(70) - 2
		got := TopK(entries, k)
		if want := sorted[:max(0, min(k, len(sorted)))]; !slices.Equal(got, want) {
			t.Fatalf("top %d of %v: %v, want %v", k, ids(before), ids(got), ids(want))
		}
		if !slices.Equal(entries, before) {
			t.Fatal("TopK changed its argument")
		}
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ old, new, entered, left, moved string }{
		{"", "", "", "", ""},
		{"", "a b", "a b", "", ""},
		{"a b", "", "", "a b", ""},
		{"a b c", "a b c", "", "", ""},
		{"a b c", "x a b", "x", "c", ""}, // sliding down is not moving
		{"a b c", "b a c", "", "", "b a"},
		{"a b c", "x c y a", "x y", "b", "c a"},
		{"a b c d", "b c d a", "", "", "b c d a"},
	} {
		got := Diff(list(c.old), list(c.new))
		want := Changes{append([]string{}, strings.Fields(c.entered)...), append([]string{}, strings.Fields(c.left)...),
			append([]string{}, strings.Fields(c.moved)...)}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q to %q: %+v, want %+v", c.old, c.new, got, want)
		}
	}
}

// A reader who follows the changes knows who is in the list, and a list that reports
// no move has kept its order.
func TestDiffAccountsForAll(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 2))
	pick := func() []Entry {
		names := strings.Fields("a b c d e f g h")
		rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		return list(strings.Join(names[:rng.IntN(len(names)+1)], " "))
	}
	for range 2000 {
		old, new := pick(), pick()
		c := Diff(old, new)
		kept := slices.DeleteFunc(ids(old), func(id string) bool { return slices.Contains(c.Left, id) })
		rest := slices.DeleteFunc(ids(new), func(id string) bool { return slices.Contains(c.Entered, id) })
		want := []string{}
		for i := range rest {
			if rest[i] != kept[i] {
				want = append(want, rest[i])
			}
		}
		slices.Sort(kept)
		sorted := slices.Sorted(slices.Values(rest))
		if !slices.Equal(kept, sorted) || !slices.Equal(c.Moved, want) {
			t.Fatalf("%v to %v: %+v", ids(old), ids(new), c)
		}
	}
}

func both(total, general []Entry) Lists {
	return Lists{{ListTotal, total}, {ListGeneral, general}}
}

func TestListsByName(t *testing.T) {
	t.Parallel()
	l := append(both(list("a b"), list("b c")), List{"theme:craft", list("d a")})
	if got := l.Get("theme:craft"); !reflect.DeepEqual(got, list("d a")) || l.Get("theme:music") != nil {
		t.Errorf("theme:craft: %v, theme:music: %v", got, l.Get("theme:music"))
	}
	var members []string
	l.Members(func(id string) { members = append(members, id) })
	if want := strings.Fields("a b c d"); !slices.Equal(members, want) {
		t.Errorf("members %v, want %v", members, want)
	}
	changes := DiffAll(append(both(nil, list("c b")), List{"theme:music", list("m")}), l)
	for name, want := range map[string]Changes{
		ListTotal: {Entered: strings.Fields("a b"), Left: []string{}, Moved: []string{}}, ListGeneral: {Entered: []string{}, Left: []string{}, Moved: strings.Fields("b c")},
		"theme:craft": {Entered: strings.Fields("d a"), Left: []string{}, Moved: []string{}}, "theme:music": {Entered: []string{}, Left: []string{"m"}, Moved: []string{}},
	} {
		if !reflect.DeepEqual(changes[name], want) {
			t.Errorf("changes of %s: %+v, want %+v", name, changes[name], want)
		}
	}
	if len(changes) != 4 {
		t.Errorf("changes of %d lists, want 4", len(changes))
	}
}

func TestMaterial(t *testing.T) {
	t.Parallel()
	l := both(list("a b c"), list("x y"))
	change := func(fn func(total, general []Entry)) Lists {
		n := both(slices.Clone(l.Get(ListTotal)), slices.Clone(l.Get(ListGeneral)))
		fn(n[0].Entries, n[1].Entries)
		return n
	}
	for _, c := range []struct {
		what string
		new  Lists
		want bool
	}{
		{"nothing", l, false},
		{"score within tolerance", change(func(total, general []Entry) { total[1].Score += 0.009 }), false},
		{"score beyond tolerance", change(func(total, general []Entry) { general[1].Score -= 0.011 }), true},
		{"order", change(func(total, general []Entry) { total[0], total[1] = total[1], total[0] }), true},
		{"other id", change(func(total, general []Entry) { general[0].ID = "z" }), true},
		{"shorter", both(list("a b"), list("x y")), true},
		{"one list less", l[:1], true},
		{"one list more", append(slices.Clone(l), List{Name: "theme:craft", Entries: list("a")}), true},
		{"one more that is empty", append(slices.Clone(l), List{Name: "theme:craft"}), false},
		{"parts alone", change(func(total, general []Entry) { total[0].Parts.Date = 1 }), false},
	} {
		if got := Material(l, c.new, 0.01); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	if Material(l, l, 0) || !Material(l, change(func(total, general []Entry) { total[1].Score += 1e-6 }), 0) {
		t.Error("tolerance 0 must mean equal scores")
	}
}
