package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSubscribers runs the examples of subscribers against a daemon's topic, with replaced and deleted artifacts, and wants of each
// the table that the daemon serves.
func TestSubscribers(t *testing.T) {
	t.Parallel()
	s := serve(t, filepath.Join(t.TempDir(), "data"), "--index.engine=flat", "--lists.tolerance=0", "--refresh.epsilon=0", "--refresh.sweep=0")
	must := func(stdin string, args ...string) string {
		t.Helper()
		code, stdout, stderr := kilim(t, stdin, args...)
		if code != exitOK {
			t.Fatalf("%q: exit code %d\n%s%s", args, code, stdout, stderr)
		}
		return stdout
	}
	archive := strings.SplitAfter(must("", "demo", "--artifacts=30", "--no-media"), "\n")
	must(strings.Join(archive, ""), "feed", "--broker", s.broker, "-")
	must("", "status", "--http", s.http, "--wait", "--timeout=10m")
	gone := `{"id":"demo:00000003","__deleted":true}` + "\n"
	must(gone+archive[5]+archive[6], "feed", "--broker", s.broker, "-")
	must("", "status", "--http", s.http, "--wait", "--timeout=10m")

	t.Run("Go", func(t *testing.T) {
		compareTable(t, s, 29, "go", "run", "../docs/examples/subscriber-go", s.broker, "kilim.similar")
	})
	t.Run("Python", func(t *testing.T) {
		python := cmp.Or(os.Getenv("KILIM_PYTHON"), "python3")
		if out, err := exec.Command(python, "-c", "import confluent_kafka").CombinedOutput(); err != nil {
			t.Skipf("%s has no confluent_kafka (KILIM_PYTHON names another): %v\n%s", python, err, out)
		}
		compareTable(t, s, 29, python, "../docs/examples/subscriber-python/subscriber.py", s.broker, "kilim.similar")
	})
	s.stop(t)
}

// compareTable holds what a subscriber prints against the lists that the daemon answers.
func compareTable(t *testing.T, s *served, artifacts int, name string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, &stderr)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != artifacts {
		t.Fatalf("%d artifacts in the table, want %d", len(lines), artifacts)
	}
	type entry struct{ ID string }
	for _, line := range lines {
		var told struct {
			ID    string
			Lists struct{ Total []entry }
		}
		if err := json.Unmarshal([]byte(line), &told); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		resp, err := http.Get("http://" + s.http + "/api/v1/artifacts/" + told.ID + "/similar?list=total")
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ Items []entry }
		err = json.NewDecoder(resp.Body).Decode(&answer)
		if closed := resp.Body.Close(); err != nil || closed != nil {
			t.Fatal(err, closed)
		}
		if len(answer.Items) == 0 || !slices.Equal(told.Lists.Total[:min(len(told.Lists.Total), len(answer.Items))], answer.Items) {
			t.Errorf("%s: the table has %v, the daemon answers %v", told.ID, told.Lists.Total, answer.Items)
		}
	}
}
