package main

import (
	"bytes"
	"strings"
	"testing"

	"kilim/daemon/web"
)

// TestPrintThemes: the table says which themes have lists and what the others wait for.
func TestPrintThemes(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := printThemes(&out, &web.Themes{
		ThemesStatus: web.ThemesStatus{Phase: "fitting", Ratio: 0.25, Served: 1, Profiles: 12000, Waiting: 3, Age: 90},
		Themes: []web.Theme{
			{Name: "craft", State: "waiting", Labelled: 12, Declared: true, Weak: []string{"technique", "material"}},
			{Name: "emotions, concepts and ideas", State: "served", Labelled: 900, Terms: 127, Fault: "not authorized"},
			{Name: "music", State: "few", Declared: true},
		},
	})
	want := `THEME                         STATE    ARTIFACTS WITH LABELS  TERMS  DECLARED
craft                         waiting  12                     0      labels also by technique, material
emotions, concepts and ideas  served   900                    127    -
music                         few      0                      0      yes
emotions, concepts and ideas is not stored or published: not authorized
1 served, among 12000 artifacts, by a model made 1m30s ago; 3 artifacts have changed since; fitting, 25 %
`
	if err != nil || out.String() != want {
		t.Errorf("%v:\n%s\nwant\n%s", err, &out, want)
	}
	if got := themesLine(&web.ThemesStatus{Phase: "idle"}); got != "none served" {
		t.Error(got)
	}
}

// TestThemeCommands asks a daemon for its themes, and for one more.
func TestThemeCommands(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	for _, args := range [][]string{{"theme", "--http", s.http}, {"theme", "list", "--http", s.http}, {"theme", "add", "craft, and more", "--weak=technique,material", "--http", s.http}} {
		code, stdout, stderr := kilim(t, "", args...)
		if code != exitOK || !strings.Contains(stdout, "THEME") || strings.Contains(stdout, "craft, and more") != (args[1] == "add") {
			t.Errorf("%q: exit code %d\n%s%s", args, code, stdout, stderr)
		}
	}
	if code, _, stderr := kilim(t, "", "theme", "add", "x", "--weak=title", "--http", s.http); code != exitFailed || !strings.Contains(stderr, "technique") {
		t.Errorf("a field that has no terms: exit code %d, %s", code, stderr)
	}
	s.stop(t)
}
