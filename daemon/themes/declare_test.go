package themes

import (
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestAdmission: a theme is learned when enough artifacts have labels of it or somebody declares it, and whoever asks for another is
// told which there are and why.
func TestAdmission(t *testing.T) {
	t.Parallel()
	cfg := usual()
	cfg.Least = 1000
	w := newWorld(t, cfg)
	said := func(name string, is error, words ...string) {
		t.Helper()
		_, err := w.keeper.Similar(t.Context(), "a:1", name, 5)
		if !errors.Is(err, is) {
			t.Errorf("%s: %v", name, err)
		}
		for _, word := range words {
			if err != nil && !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v: want %q", name, err, word)
			}
		}
	}
	said(motif, ErrNotReady, "no theme has been learned yet")
	w.fill(1, 60, 40)
	if got := w.round(); got != nothing {
		t.Errorf("ended as %q", got)
	}
	said(motif, ErrUnknown, "themes.least is 1000", "kilim theme add")
	said("craft", ErrUnknown, "no other is")

	for _, d := range []Declaration{{Name: motif}, {Name: "craft", Weak: []string{"technique", "place"}}, {Name: "music"}} {
		if err := w.keeper.Declare(d); err != nil {
			t.Fatal(err)
		}
		if !w.keeper.due(rounds{any: true}) {
			t.Error("a declaration waits")
		}
	}
	said("craft", ErrNotReady, "being learned")
	if got := w.round(); got != fitted {
		t.Errorf("ended as %q", got)
	}
	said("music", ErrUnknown, "declared", "0 artifacts")
	said("dance", ErrUnknown, `"craft", "motif"`)
	said(ideas, ErrUnknown, "themes.least")
	answer, err := w.keeper.Similar(t.Context(), "a:50", "craft", 5)
	if err != nil || len(answer.Items) != 5 || len(answer.Items[0].Shared) == 0 {
		t.Fatalf("by weak labels: %v, %+v", err, answer)
	}
	own := w.records["a:50"]
	if other := w.records[answer.Items[0].ID]; !slices.ContainsFunc(own.Technique, func(s string) bool { return slices.Contains(other.Technique, s) }) {
		t.Errorf("the nearest in craft to %v has %v", own.Technique, other.Technique)
	}

	// What was declared is there after a start.
	before := w.keeper.Status().Themes
	w.open()
	if err := w.keeper.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.round(); got != unchanged {
		t.Errorf("ended as %q", got)
	}
	if after := w.keeper.Status().Themes; !reflect.DeepEqual(before, after) {
		t.Errorf("after a start %+v, before it %+v", after, before)
	}
}

// TestDeclarations: what can't be one is refused with what is wrong, and changes nothing.
func TestDeclarations(t *testing.T) {
	t.Parallel()
	cfg := usual()
	cfg.Declared = []Declaration{{Name: "craft", Weak: []string{"technique"}}}
	w := newWorld(t, cfg)
	for text, want := range map[string]string{
		"": "1 to", " ": "1 to", strings.Repeat("x", 10_000): "1 to", "a\nb": "control", "a\xff": "1 to", "craft=": "want one of", "craft=title": "want one of collection", "x=type+type": "twice",
	} {
		if d, err := ParseDeclaration(text); !errors.Is(err, ErrDeclaration) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v", text, d, err)
		}
	}
	d, err := ParseDeclaration("craft=technique+material")
	if err != nil || !reflect.DeepEqual(d, Declaration{Name: "craft", Weak: []string{"technique", "material"}}) {
		t.Errorf("%+v, %v", d, err)
	}
	if err := w.keeper.Declare(d); !errors.Is(err, ErrDeclaration) || !strings.Contains(err.Error(), "themes.declare") {
		t.Errorf("against the configuration: %v", err)
	}
	if err := w.keeper.Declare(Declaration{Name: "craft", Weak: []string{"technique"}}); err != nil {
		t.Errorf("as the configuration has it: %v", err)
	}
	if err := os.WriteFile(w.keeper.declared.path, []byte(`[{"name":"x","weak":["title"]}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openDeclared(w.keeper.declared.path, nil); !errors.Is(err, ErrDeclaration) {
		t.Errorf("a file that declares what is none: %v", err)
	}
}
