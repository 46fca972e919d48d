package main

import (
	"reflect"
	"testing"

	"kilim/consumer/profile"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string][2]string{
		"http://x/images/PS1_44.688_Fnt_DD_T07.jpg":      {"44.688", "44.688"},
		"http://x/images/PS3_37.2468.43_Fnt_DD_KI13.jpg": {"37.2468.43", "37.2468"},
		"http://x/images/PS1_35.101F_Fnt_DD.jpg":         {"35.101F", "35.101"},
		"http://x/images/PS1_35.101.L_Fnt_DD.jpg":        {"35.101.L", "35.101"},
		"http://x/images/CPS_W.648.binding_Fnt_DD.jpg":   {"W.648", "W.648"},
		"http://x/images/CPS_W.641.2a_Fp_DD.jpg":         {"W.641.2a", "W.641"},
		"http://x/images/PS1_44.688.jpg":                 {"44.688", "44.688"},
		"http://x/images/portrait.jpg":                   {"", ""},
	} {
		got := numberOf(&profile.Artifact{Media: []profile.Media{{URI: uri}}})
		if got != want[0] || setOf(got) != want[1] {
			t.Errorf("%s: %q of %q, want %q", uri, got, setOf(got), want)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	numbers := []string{"44.688", "44.689", "35.101A", "35.101B", "35.102", ""}
	texts := []string{"A vase.", "A pair with Walters 44.688 [44.689].", "", "see 99.999", "", "like 35.102 and 44.688"}
	got := links(numbers, texts)
	if want := map[int][]int{0: {1, 5}, 1: {0}, 2: {3}, 3: {2}, 4: {5}, 5: {0, 4}}; !reflect.DeepEqual(got, want) {
		t.Errorf("links %v, want %v", got, want)
	}
	group := groups(got)
	for _, pair := range [][2]int{{0, 1}, {1, 5}, {4, 0}, {2, 3}} {
		if group[pair[0]] != group[pair[1]] {
			t.Errorf("%v are in two groups", pair)
		}
	}
	for range 20 {
		if again := groups(got); !reflect.DeepEqual(again, group) {
			t.Fatalf("groups %v, and again %v", group, again)
		}
	}
	if group[0] == group[2] {
		t.Error("two sets are one group")
	}
	judge, measure := split(representatives(group), 1, 3)
	if len(judge) != 1 || len(measure) != 1 || group[judge[0]] == group[measure[0]] {
		t.Errorf("judged %v, measured %v", judge, measure)
	}
	if got := masked("pair with Walters 44.688, dated 1.5"); got != "pair with Walters , dated 1.5" {
		t.Errorf("masked %q", got)
	}
	large := make([]string, mostOfASet+1)
	for i := range large {
		large[i] = "37.1." + string(rune('1'+i%9))
	}
	if got := links(large, make([]string, len(large))); len(got) != 0 {
		t.Errorf("a set of %d is linked", len(large))
	}
}

// TestAlike: those of one motif and one craft are linked by threes, both ways; who is left over, or lacks one of the two, has no link.
func TestAlike(t *testing.T) {
	t.Parallel()
	of := func(motif, craft string) map[string][]string {
		return map[string][]string{"motif": {motif}, "craft": {craft}}
	}
	got := alike([]map[string][]string{of("a", "x"), of("a", "y"), of("a", "x"), nil, {"motif": {"a"}}, of("a", "x"), of("a", "x")})
	if want := (map[int][]int{0: {2, 5}, 2: {0, 5}, 5: {0, 2}}); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
