// Package experiments has the list of all experiments, README.md, and the test that holds it against the repository.
package experiments

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// root is the repository's, seen from this folder.
const root = "../.."

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// all returns what the expression's only group matches in a text.
func all(expression, text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(expression).FindAllStringSubmatch(text, -1) {
		found[m[1]] = true
	}
	return found
}

func TestListedCommandsExist(t *testing.T) {
	t.Parallel()
	list := read(t, "README.md")
	for _, c := range []struct{ listed, file, defined string }{
		{"`make ([a-z0-9-]+)", "Makefile", `(?m)^([a-z0-9-]+):`},
		{"`.ci/run ([a-z0-9]+)", ".ci/run", `(?m)^step_([a-z0-9]+)\(\)`},
	} {
		listed, defined := all(c.listed, list), all(c.defined, read(t, filepath.Join(root, c.file)))
		if len(listed) == 0 {
			t.Errorf("no command of %s is listed", c.file)
		}
		for name := range listed {
			if !defined[name] {
				t.Errorf("%s is listed, and %s has none of that name", name, c.file)
			}
		}
	}
}

func TestEveryExperimentIsListed(t *testing.T) {
	t.Parallel()
	listed := all("`make ([a-z0-9-]+)", read(t, "README.md"))
	targets := all(`(?m)^(bench-[a-z0-9-]+|crash|poison|feeds):`, read(t, filepath.Join(root, "Makefile")))
	if len(targets) < 3 {
		t.Fatalf("experiments in the Makefile: %v", targets)
	}
	for target := range targets {
		if !listed[target] {
			t.Errorf("make %s is not listed", target)
		}
	}
}
