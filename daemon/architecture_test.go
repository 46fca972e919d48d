package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rule says that certain packages must not import certain others.
type rule struct {
	name string
	// of chooses the packages that must not import, forbidden those that must not be imported.
	of, forbidden func(pkg string) bool
	// deep also forbids to import over other packages.
	deep bool
}

// rules are the directions of imports in this module. Those of tests are free: a test may compare two rooms.
var rules = append(oneWay("kilim/consumer", "kilim/graphstore", "kilim/learner", "kilim/annindex", "kilim/rerank"), []rule{
	{
		name:      "a stage must not know the daemon",
		of:        under("kilim/consumer", "kilim/graphstore", "kilim/learner", "kilim/annindex", "kilim/rerank"),
		forbidden: under("kilim/daemon"),
	},
	{
		name:      "lists and index must not know the store",
		of:        under("kilim/rerank", "kilim/annindex"),
		forbidden: under("github.com/dgraph-io/badger"),
		deep:      true,
	},
	{
		name:      "lists and index must not know Kafka, but for what publishes",
		of:        and(under("kilim/rerank", "kilim/annindex"), not(under("kilim/rerank/publish"))),
		forbidden: under("github.com/segmentio/kafka-go"),
		deep:      true,
	},
	{
		// The experiments are clients: they read what the daemon answers.
		name: "only the app and the command know HTTP and configuration",
		of: and(under("kilim"), not(under("kilim/daemon/app", "kilim/daemon/web", "kilim/daemon/config", "kilim/daemon/experiments")),
			not(func(pkg string) bool { return pkg == "kilim/daemon" })),
		forbidden: under("kilim/daemon/web", "kilim/daemon/config"),
	},
}...)

// oneWay are the rules by which no stage imports a later one: the data goes from the first to the last. atomicfile is free
// to all: it replaces a file and knows of no stage, and every stage that writes files needs the same care.
func oneWay(stages ...string) (rules []rule) {
	for i, stage := range stages[:len(stages)-1] {
		later := and(under(stages[i+1:]...), not(under("kilim/graphstore/atomicfile")))
		rules = append(rules, rule{name: "a stage must not know a later one", of: under(stage), forbidden: later})
	}
	return rules
}

// TestImportDirections holds the rules against what the go command says of the imports of every package of this module.
func TestImportDirections(t *testing.T) {
	t.Parallel()
	graph := imports(t)
	if len(graph["kilim/daemon"]) == 0 || len(graph["kilim/consumer"]) == 0 {
		t.Fatalf("the go command lists %d packages, and not all of this module", len(graph))
	}
	for _, way := range violations(graph, rules) {
		t.Error(way)
	}
}

// TestRulesAreHeld breaks each rule in an invented module.
func TestRulesAreHeld(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		graph map[string][]string
		want  []string
	}{
		{"nothing wrong", map[string][]string{
			"kilim/daemon":              {"kilim/daemon/app", "kilim/daemon/web", "kilim/daemon/config"},
			"kilim/daemon/app":          {"kilim/daemon/web", "kilim/daemon/config", "kilim/rerank/publish"},
			"kilim/daemon/web":          {"kilim/rerank"},
			"kilim/daemon/experiments/": {"kilim/daemon/web"},
			"kilim/rerank":              {"fmt"},
			"kilim/rerank/publish":      {"kilim/rerank", "github.com/segmentio/kafka-go"},
			"kilim/graphstore":          {"github.com/dgraph-io/badger/v4"},
			"kilim/daemonize":           nil,
			"kilim/learner":             {"kilim/daemonize", "kilim/graphstore"},
			"kilim/consumer/broker":     {"kilim/graphstore/atomicfile"},
		}, nil},
		{"a stage imports the daemon", map[string][]string{
			"kilim/consumer":           {"kilim/daemon"},
			"kilim/graphstore/weave":   {"kilim/daemon/demo"},
			"kilim/learner/train/lab":  {"kilim/daemon/pipeline"},
			"kilim/annindex":           {"kilim/daemon/standby"},
			"kilim/rerank/publish":     {"kilim/daemon/app"},
			"kilim/daemon/pipeline":    {"kilim/consumer"},
			"kilim/daemon/experiments": {"kilim/daemon/web"},
		}, []string{
			"a stage must not know the daemon: kilim/annindex -> kilim/daemon/standby",
			"a stage must not know the daemon: kilim/consumer -> kilim/daemon",
			"a stage must not know the daemon: kilim/graphstore/weave -> kilim/daemon/demo",
			"a stage must not know the daemon: kilim/learner/train/lab -> kilim/daemon/pipeline",
			"a stage must not know the daemon: kilim/rerank/publish -> kilim/daemon/app",
		}},
		{"a stage imports a later one", map[string][]string{
			"kilim/learner/refresh": {"kilim/graphstore", "kilim/annindex/hnsw"},
			"kilim/annindex":        {"kilim/rerank"},
			"kilim/rerank":          {"kilim/annindex", "kilim/consumer/profile"},
		}, []string{
			"a stage must not know a later one: kilim/annindex -> kilim/rerank",
			"a stage must not know a later one: kilim/learner/refresh -> kilim/annindex/hnsw",
		}},
		{"the lists reach the store over others", map[string][]string{
			"kilim/rerank/topk":              {"kilim/graphstore/weave"},
			"kilim/graphstore/weave":         {"fmt", "kilim/graphstore"},
			"kilim/graphstore":               {"github.com/dgraph-io/badger/v4"},
			"github.com/dgraph-io/badger/v4": {"github.com/dgraph-io/badger/v4/table"},
		}, []string{
			"lists and index must not know the store: kilim/rerank/topk -> kilim/graphstore/weave -> kilim/graphstore -> github.com/dgraph-io/badger/v4",
		}},
		{"the lists reach Kafka over what publishes", map[string][]string{
			"kilim/rerank":         {"kilim/rerank/publish"},
			"kilim/rerank/publish": {"github.com/segmentio/kafka-go/protocol"},
			"kilim/annindex/hnsw":  {"github.com/segmentio/kafka-go"},
		}, []string{
			"lists and index must not know Kafka, but for what publishes: kilim/annindex/hnsw -> github.com/segmentio/kafka-go",
			"lists and index must not know Kafka, but for what publishes: kilim/rerank -> kilim/rerank/publish -> github.com/segmentio/kafka-go/protocol",
		}},
		{"another than the app knows HTTP or configuration", map[string][]string{
			"kilim/daemon/pipeline": {"kilim/daemon/config", "kilim/daemon/web"},
			"kilim/daemon/watch":    {"kilim/daemon/config"},
		}, []string{
			"only the app and the command know HTTP and configuration: kilim/daemon/pipeline -> kilim/daemon/config",
			"only the app and the command know HTTP and configuration: kilim/daemon/pipeline -> kilim/daemon/web",
			"only the app and the command know HTTP and configuration: kilim/daemon/watch -> kilim/daemon/config",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := violations(c.graph, rules); !slices.Equal(got, c.want) {
				t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// under chooses the packages at the paths and below them. A path of a module also chooses its later major versions.
func under(paths ...string) func(string) bool {
	return func(pkg string) bool {
		return slices.ContainsFunc(paths, func(path string) bool { return pkg == path || strings.HasPrefix(pkg, path+"/") })
	}
}

func not(f func(string) bool) func(string) bool { return func(pkg string) bool { return !f(pkg) } }

func and(all ...func(string) bool) func(string) bool {
	return func(pkg string) bool {
		return !slices.ContainsFunc(all, func(f func(string) bool) bool { return !f(pkg) })
	}
}

// violations returns each import that breaks a rule, sorted, with the way to it.
func violations(graph map[string][]string, rules []rule) (found []string) {
	for _, r := range rules {
		for pkg := range graph {
			if !r.of(pkg) {
				continue
			}
			for _, way := range r.broken(graph, pkg) {
				found = append(found, r.name+": "+strings.Join(way, " -> "))
			}
		}
	}
	slices.Sort(found)
	return found
}

// broken returns the ways from pkg to what it must not import. Of a deep rule it is only the shortest: one import in the
// wrong place leads to dozens of packages.
func (r *rule) broken(graph map[string][]string, pkg string) (ways [][]string) {
	seen := map[string]bool{pkg: true}
	for queue := [][]string{{pkg}}; len(queue) > 0; queue = queue[1:] {
		way := queue[0]
		for _, next := range slices.Sorted(slices.Values(graph[way[len(way)-1]])) {
			longer := append(slices.Clone(way), next)
			switch {
			case r.forbidden(next) && r.deep:
				return [][]string{longer}
			case r.forbidden(next):
				ways = append(ways, longer)
			case r.deep && !seen[next]:
				seen[next] = true
				queue = append(queue, longer)
			}
		}
	}
	return ways
}

// imports asks the go command what each package of this module, and each one that these need, imports.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	watchSources(t, root)
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports", "./...")
	list.Dir = root
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", list, err, &stderr)
	}
	graph := map[string][]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			return graph
		} else if err != nil {
			t.Fatalf("%v: %v", list, err)
		}
		graph[pkg.ImportPath] = pkg.Imports
	}
}

// watchSources lists the folders below root. The go command keeps the result of a test for as long as the files that the
// test itself has looked at stay the same; what its child processes read does not count.
func watchSources(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a file of a daemon at work, say
		}
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if strings.HasSuffix(d.Name(), ".go") {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(fmt.Errorf("list the sources: %w", err))
	}
}
