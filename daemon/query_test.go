package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestQueryCommands adds standing queries by each way, feeds what they ask about, and follows, shows and ends them.
func TestQueryCommands(t *testing.T) {
	t.Parallel()
	s := serve(t, filepath.Join(t.TempDir(), "data"))
	try := func(want int, stdin string, args ...string) string {
		t.Helper()
		code, stdout, stderr := kilim(t, stdin, append(args, "--http", s.http)...)
		if code != want {
			t.Fatalf("%q: exit code %d, want %d\n%s%s", args, code, want, stdout, stderr)
		}
		return stdout + stderr
	}
	file := filepath.Join(t.TempDir(), "record.json")
	if err := os.WriteFile(file, []byte(`{"title":"A bowl", "material":["clay"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	try(exitOK, "", "query", "add", "horses", "--text", "a horse with a saddle", "--by", "Ada")
	try(exitOK, "", "query", "add", "bowls", file)
	try(exitOK, `{"title":"A rug"}`, "query", "add", "rugs", "-")
	for _, bad := range [][]string{
		{"query", "add", "Horses", "--text", "x"}, {"query", "add", "x"}, {"query", "add", "x", file, "--text", "x"}, {"query", "show", "A/B"},
	} {
		try(exitUsage, "", bad...)
	}
	if got := try(exitUsage, `{"title":7}`, "query", "add", "x", "-"); !strings.Contains(got, "title") {
		t.Errorf("a record that is none: %s", got)
	}
	if got := try(exitFailed, "", "query", "remove", "gone"); !strings.Contains(got, `"gone"`) {
		t.Errorf("a query that is not there: %s", got)
	}
	if code, stdout, stderr := kilim(t, `{"id":"h","description":"a horse without a saddle"}`+"\n"+`{"id":"b","title":"Bowl","material":["clay"]}`+"\n", "feed", "-", "--broker", s.broker); code != exitOK {
		t.Fatalf("feed: %d %s%s", code, stdout, stderr)
	}
	shown := ""
	for end := time.Now().Add(2 * time.Minute); !strings.Contains(shown, "  2 "); time.Sleep(50 * time.Millisecond) {
		if shown = try(exitOK, "", "query", "show", "horses"); time.Now().After(end) {
			t.Fatalf("shown: %s", shown)
		}
	}
	if total, _, _ := strings.Cut(shown, "general"); !strings.Contains(total, "  h ") || strings.Index(total, "  h ") > strings.Index(total, "  b ") {
		t.Errorf("shown:\n%s", shown)
	}
	if got := try(exitOK, "", "query"); strings.Count(got, "\n") != 4 || !strings.Contains(got, "horses") || !strings.Contains(got, "Ada") {
		t.Errorf("listed:\n%s", got)
	}
	if got := try(exitOK, "", "query", "show", "bowls", "--json"); !strings.Contains(got, `"material":["clay"]`) || !strings.Contains(got, `"lists"`) && !strings.Contains(got, `"record"`) {
		t.Errorf("as JSON: %s", got)
	}
	try(exitOK, "", "query", "remove", "horses")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, done := newOutput(), make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"watch", "--broker", s.broker, "--query", "horses", "--from-beginning", "--json"}, narrow(), nil, out, newOutput())
	}()
	within, stop := context.WithTimeout(ctx, 2*time.Minute)
	defer stop()
	if err := out.await(within, `"deleted":true`); err != nil {
		t.Fatal(err)
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("watch: exit code %d", code)
	}
	if got := out.String(); strings.Contains(got, "bowls") || !strings.Contains(got, `"entered":["h"`) && !strings.Contains(got, `"h"`) {
		t.Errorf("watched:\n%s", got)
	}
	if code, _, stderr := kilim(t, "", "watch", "--broker", s.broker, "--query", "x", "--artifact", "a"); code != exitUsage {
		t.Errorf("--query with --artifact: %d %s", code, stderr)
	}
	s.stop(t)
}
