package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kilim/graphstore"
)

// TestCheckRepairs damages a document and what follows from documents in the folder of a stopped daemon: check names both and
// changes nothing, check --repair makes the state anew from the other documents, and the record of the damaged one brings it
// back. The settings are the daemon's, and none of the two commands is told them.
func TestCheckRepairs(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := serve(t, data, "--lists.size=4", "--refresh.epsilon=0.2")
	var feed strings.Builder
	for i := range 12 {
		times := 1
		if i >= 10 {
			times = 8000 // to the value log, where a bit of one is flipped
		}
		words := strings.Repeat(fmt.Sprintf("word%d rug ", i), times)
		fmt.Fprintf(&feed, `{"id":"a%d","title":"kilim %d","description":%q,"culture":["c%d"]}`+"\n", i, i, words, i%3)
	}
	must := func(stdin string, args ...string) string {
		t.Helper()
		code, stdout, stderr := kilim(t, stdin, args...)
		if code != exitOK {
			t.Fatalf("kilim %v: exit code %d\n%s%s", args, code, stdout, stderr)
		}
		return stdout
	}
	settle := func() string {
		t.Helper()
		must(feed.String(), "feed", "--broker", s.broker, "-")
		return must("", "status", "--http", s.http, "--wait", "--json", "--timeout=10m")
	}
	settle()
	s.stop(t)
	if out := must("", "check", "--data", data, "--repair", "--log.level=error"); !strings.Contains(out, "no fault") {
		t.Errorf("a sound folder: %s", out)
	}

	damageDocument(t, filepath.Join(data, "graph"), "word11 rug word11 rug")
	damageRows(t, filepath.Join(data, "graph"), "a2")
	before := listing(t, data)
	code, stdout, stderr := kilim(t, "", "check", "--data", data, "--log.level=error")
	for _, want := range []string{`artifact "a11"`, "damaged", "degree", `artifact "a2": `} {
		if code != exitFailed || !strings.Contains(stdout, want) {
			t.Errorf("check, exit code %d, does not name %s:\n%s", code, want, stdout)
		}
	}
	if !strings.Contains(stderr, "faults; kilim check --repair makes the state anew from its documents") {
		t.Errorf("check does not say what to do: %s", stderr)
	}
	if got := listing(t, data); got != before {
		t.Errorf("check without --repair has changed what is in the folder:\n%s\nwas\n%s", got, before)
	}
	stdout = must("", "check", "--data", data, "--repair", "--log.level=error")
	if !strings.Contains(stdout, `artifact "a11": its document is damaged, so it is deleted; feed its record again`) || !strings.Contains(stdout, "no fault") {
		t.Errorf("check --repair: %s", stdout)
	}
	must("", "check", "--data", data, "--log.level=error")

	s = serve(t, data, "--lists.size=4", "--refresh.epsilon=0.2")
	if status := must("", "status", "--http", s.http, "--wait", "--json", "--timeout=10m"); !strings.Contains(status, `"artifacts":11,`) {
		t.Errorf("after the repair: %s", status)
	}
	if status := settle(); !strings.Contains(status, `"artifacts":12,`) {
		t.Errorf("after the record came again: %s", status)
	}
	s.stop(t)
	must("", "check", "--data", data, "--log.level=error")
}

// damageDocument flips a bit of a document in the value log of a store that nobody has open.
func damageDocument(t *testing.T, dir, text string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		all, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(all, []byte(text))
		if at < 0 {
			continue
		}
		all[at] ^= 4
		if err := os.WriteFile(file, all, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("the document is not in the value log")
}

// damageRows makes rows of an artifact say what does not follow from its document.
func damageRows(t *testing.T, dir, id string) {
	t.Helper()
	store, err := graphstore.Open(dir, graphstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tx := store.Begin()
	n, err := tx.Edit(graphstore.ID(graphstore.Artifact, id))
	if err != nil {
		t.Fatal(err)
	}
	n.Degree++
	for _, err := range []error{tx.PutLists(n.ID, []byte("no lists")), tx.Commit(), store.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// listing names the states in a folder.
func listing(t *testing.T, data string) string {
	t.Helper()
	states, err := filepath.Glob(filepath.Join(data, "generations", "*"))
	if err != nil {
		t.Fatal(err)
	}
	current, err := os.ReadFile(filepath.Join(data, "CURRENT"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return fmt.Sprint(states, string(current))
}

// TestCheckRefusesADamagedTable flips a bit of a table, in which anything may be missing: there is nothing to make a state from.
func TestCheckRefusesADamagedTable(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	dir := filepath.Join(data, "graph")
	store, err := graphstore.Open(dir, graphstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tx := store.Begin()
	_, err = tx.PutArtifact(graphstore.Doc{ID: "a", Raw: bytes.Repeat([]byte("kilim"), 1000)}, nil)
	for _, err := range []error{err, tx.Commit(), store.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables %v, %v", tables, err)
	}
	all, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	all[100] ^= 1
	if err := os.WriteFile(tables[0], all, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := kilim(t, "", "check", "--data", data, "--repair", "--log.level=error")
	if code != exitFailed || !strings.Contains(stderr, "a table is damaged") || !strings.Contains(stderr, "this can't be repaired: "+anew) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
