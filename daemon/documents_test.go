package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// link is a link of Markdown, with its text and where it leads.
	link = regexp.MustCompile(`\[([^\]]*)\]\(([^)]+)\)`)
	// testName is the name of a test function.
	testName = regexp.MustCompile(`\bTest[A-Z]\w*`)
	// code is a span of code that is an identifier of Go, perhaps of a package's or a type's.
	code = regexp.MustCompile("`(?:[A-Za-z]\\w*\\.)*([A-Za-z]\\w*)`")
	// declared is a function, a method or a type, with its name.
	declared = regexp.MustCompile(`(?m)^(?:func (?:\([^)]*\) )?|type )(\w+)`)
)

// TestLinksOfDocuments follows the links of every document to the files of this repository.
func TestLinksOfDocuments(t *testing.T) {
	t.Parallel()
	documents := 0
	sources(t, ".md", func(path, text string) {
		documents++
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			to, _, _ := strings.Cut(m[2], "#")
			if to == "" || strings.Contains(to, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), to)); err != nil {
				t.Errorf("%s: [%s]: %v", path, m[1], err)
			}
		}
	})
	if documents < 5 {
		t.Errorf("%d documents in the repository: it has not been looked through", documents)
	}
}

// TestResultsAreLinked wants a link to each file of results in the list of experiments.
func TestResultsAreLinked(t *testing.T) {
	t.Parallel()
	const list = "experiments/README.md"
	linked := map[string]bool{}
	for _, m := range link.FindAllStringSubmatch(read(t, list), -1) {
		linked[filepath.Join(filepath.Dir(list), m[2])] = true
	}
	results := 0
	sources(t, ".md", func(path, _ string) {
		if filepath.Base(path) != "RESULTS.md" {
			return
		}
		results++
		if at, err := filepath.Rel("../daemon", path); err != nil || !linked[at] {
			t.Errorf("%s is not linked in %s (%v)", path, list, err)
		}
	})
	if results == 0 {
		t.Error("no results in the repository: it has not been looked through")
	}
}

// TestArchitectureNamesWhatExists wants each test that ARCHITECTURE.md names in the file that its link leads to, and in the
// package that is named before it, and each identifier declared somewhere.
func TestArchitectureNamesWhatExists(t *testing.T) {
	t.Parallel()
	const name = "../ARCHITECTURE.md"
	text := read(t, name)
	linked := 0
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		test := testName.FindString(m[1])
		if test == "" {
			continue
		}
		linked++
		folder, function := filepath.Base(filepath.Dir(m[2])), "func "+test+"(t *testing.T)"
		if !strings.Contains(read(t, filepath.Join("..", m[2])), function) {
			t.Errorf("%s is not in %s", test, m[2])
		}
		if pkg, _, ok := strings.Cut(m[1], " "); ok && pkg != folder {
			t.Errorf("%s is said to be in package %s, and %s is not", test, pkg, m[2])
		}
	}
	if all := len(testName.FindAllString(text, -1)); linked == 0 || linked != all {
		t.Errorf("%d tests are named, and %d of them linked to their files", all, linked)
	}
	exist := map[string]bool{}
	sources(t, ".go", func(_, text string) {
		for _, m := range declared.FindAllStringSubmatch(text, -1) {
			exist[m[1]] = true
		}
	})
	for _, m := range code.FindAllStringSubmatch(text, -1) {
		if !exist[m[1]] && !strings.HasPrefix(m[1], "kilim_") { // which is a metric's name
			t.Errorf("%s is not declared anywhere", m[0])
		}
	}
}

// sources calls fn with the path and the content of every file of this repository whose name ends in ext.
func sources(t *testing.T, ext string, fn func(path, text string)) {
	t.Helper()
	const root = ".."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // a file of a daemon at work, say
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.IsDir() && filepath.Ext(path) == ext:
			fn(path, read(t, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
