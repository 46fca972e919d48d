package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// output is a writer for a command that runs in another goroutine.
type output struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	wrote chan struct{} // has one element after a write
}

func newOutput() *output { return &output{wrote: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.wrote <- struct{}{}:
	default:
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// await waits until a text is in the output.
func (o *output) await(ctx context.Context, text string) error {
	for !strings.Contains(o.String(), text) {
		select {
		case <-o.wrote:
		case <-ctx.Done():
			return fmt.Errorf("no %q in:\n%s", text, o)
		}
	}
	return nil
}

func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

// narrow has models be an eighth as wide as by default: their weights took most of the time of a test that starts a daemon.
func narrow() func(string) (string, bool) {
	return environment(map[string]string{"KILIM_MODEL_WIDTH": "32"})
}

// kilim runs a command to its end.
func kilim(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, narrow(), strings.NewReader(stdin), &out, &err)
	return code, out.String(), err.String()
}

// brokers starts a broker in this process.
func brokers(t *testing.T) string {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return strings.Join(cluster.ListenAddrs(), ",")
}

func TestExitCodesOfWrongUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "kilim.yaml")
	if err := os.WriteFile(file, []byte("listz: 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"bogus"}, []string{"bogus"}},
		{[]string{"serve", "--bogus"}, []string{"--bogus"}},
		{[]string{"feed"}, []string{"<file>"}},
		{[]string{"serve", "--lists.size", "0", "--http", "x"}, []string{"lists.size: 0: want 1 to 200 (from flag)", `http: "x"`}},
		{[]string{"serve", "--config", file}, []string{"listz: unknown key", "kilim.yaml:1"}},
		{[]string{"--config", file, "status"}, []string{"listz: unknown key"}},
		{[]string{"--config", file, "demo"}, []string{"listz: unknown key"}},
		{[]string{"feed", "--broker", "nowhere", "-"}, []string{`broker: "nowhere"`}},
		{[]string{"feed", "--rate=-1", "-"}, []string{"rate: -1"}},
		{[]string{"watch", "--kafka.topics.similar", "a b"}, []string{"kafka.topics.similar"}},
		{[]string{"status", "--http", "ftp://x"}, []string{`"ftp://x"`}},
		{[]string{"status", "--timeout=-1s"}, []string{"timeout: -1s"}},
		{[]string{"demo", "--artifacts=0"}, []string{"artifacts: 0"}},
		{[]string{"--data=x", "demo"}, []string{"--data"}},
	} {
		code, stdout, stderr := kilim(t, "", c.args...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%q: exit code %d, want %d; output %q", c.args, code, exitUsage, stdout)
		}
		for _, want := range c.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%q: %q is not in %s", c.args, want, stderr)
			}
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"", "serve", "feed", "watch", "status", "check", "reread", "demo", "config", "version", "eval"} {
		args := strings.Fields(command + " --help")
		code, stdout, stderr := kilim(t, "", args...)
		if code != exitOK || stderr != "" || !strings.HasPrefix(stdout, "Usage: kilim") {
			t.Errorf("%q: exit code %d, %q %q", args, code, stdout, stderr)
		}
		if command == "" && !strings.Contains(stdout, "Exit codes: 0") {
			t.Errorf("no exit codes in %s", stdout)
		}
	}
	if code, stdout, _ := kilim(t, "", "version"); code != exitOK || !strings.HasPrefix(stdout, "kilim ") {
		t.Errorf("version: exit code %d, %q", code, stdout)
	}
}

func TestConfigCommand(t *testing.T) {
	t.Parallel()
	var out, stderr bytes.Buffer
	env := environment(map[string]string{"KILIM_KAFKA_GROUP": "from-env", "KILIM_KAFKA_SASL_PASSWORD": "hunter2", "KILIM_BROKER": "k1:9093"})
	code := run(t.Context(), []string{"config", "--data", "/from/flag", "--lists.size=50", "--kafka.sasl.mechanism=plain", "--kafka.sasl.username=ali"}, env, nil, &out, &stderr)
	for _, want := range []string{"data: /from/flag", "# KILIM_DATA, now from: flag", "group: from-env", "environment variable KILIM_KAFKA_GROUP", "size: 50"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String()+stderr.String(), "hunter2") {
		t.Error("the password is printed")
	}
	if code != exitOK {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
	// What a daemon would refuse must not end in a file.
	if code, stdout, stderr := kilim(t, "", "config", "--lists.size=500"); code != exitUsage || stdout != "" || !strings.Contains(stderr, "lists.size: 500") {
		t.Errorf("a fault: exit code %d, %q, %s", code, stdout, stderr)
	}
}

func TestFeedAndWatch(t *testing.T) {
	t.Parallel()
	broker := brokers(t)
	file := filepath.Join(t.TempDir(), "in.jsonl")
	in := `{"id":"a","revision":1}` + "\nnot json\n" + `{"id":"b","__deleted":true}` + "\n"
	if err := os.WriteFile(file, []byte(in), 0o600); err != nil {
		t.Fatal(err)
	}
	const told = "2 that the daemon refuses (1 no_fields, 1 not_json)"
	code, stdout, stderr := kilim(t, "", "feed", "--broker", broker, "--allow-refused", file)
	if code != exitOK || !strings.HasPrefix(stdout, "3 records acknowledged, ") || !strings.Contains(stdout, "1 of them deletes, "+told) {
		t.Fatalf("feed: exit code %d, %s%s", code, stdout, stderr)
	}
	code, stdout, stderr = kilim(t, "", "feed", "--broker", broker, "--topic", "another", file)
	if code != exitFailed || !strings.HasPrefix(stdout, "0 records") || !strings.Contains(stderr, "line 1: no_fields: ") {
		t.Fatalf("feed of another table: exit code %d, %s%s", code, stdout, stderr)
	}
	code, stdout, stderr = kilim(t, `{"id":"c"}`+"\n"+in, "feed", "--broker", broker, "--topic", "another", "-")
	if code != exitFailed || !strings.HasPrefix(stdout, "4 records") || !strings.Contains(stdout, told) || !strings.Contains(stderr, "line 2: no_fields: ") {
		t.Fatalf("feed of records that are refused: exit code %d, %s%s", code, stdout, stderr)
	}
	code, stdout, stderr = kilim(t, `{"id":"c"}`, "feed", "--broker", broker, "--topic", "other", "-")
	if code != exitOK || !strings.HasPrefix(stdout, "1 records") {
		t.Fatalf("feed to another topic: exit code %d, %s%s", code, stdout, stderr)
	}
	// The topic of the artifacts serves for one of lists: watch takes the name it is given.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, errs := newOutput(), newOutput()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"watch", "--broker", broker, "--topic", "kilim.artifacts", "--from-beginning", "--json"}, environment(nil), nil, out, errs)
	}()
	if err := out.await(t.Context(), `{"id":"b","deleted":true}`); err != nil {
		t.Fatal(err)
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("watch: exit code %d, %s", code, errs)
	}
	if got, want := out.String(), `{"id":"a","revision":1}`+"\n"+`{"id":"b","deleted":true}`+"\n"; got != want {
		t.Errorf("watch: %s, want %s", got, want)
	}
	if !strings.Contains(errs.String(), "not an update") || !strings.Contains(errs.String(), "watching kilim.artifacts at "+broker) {
		t.Errorf("watch: %s", errs)
	}
}

func TestFeedThatCanNot(t *testing.T) {
	t.Parallel()
	broker := brokers(t)
	if code, _, stderr := kilim(t, "", "feed", "--broker", broker, "/nowhere/in.jsonl"); code != exitFailed || !strings.Contains(stderr, "/nowhere/in.jsonl") {
		t.Errorf("no file: exit code %d, %s", code, stderr)
	}
	code, stdout, stderr := kilim(t, "\x1f\x8b", "feed", "--broker", broker, "-")
	if code != exitFailed || !strings.HasPrefix(stdout, "0 records") || !strings.Contains(stderr, "gzip") {
		t.Errorf("a torn file: exit code %d, %s%s", code, stdout, stderr)
	}
	code, stdout, stderr = kilim(t, "PK\x03\x04\x14\x00", "feed", "--broker", broker, "-")
	if code != exitFailed || !strings.HasPrefix(stdout, "0 records") || !strings.Contains(stderr, "a zip archive") {
		t.Errorf("a zip archive: exit code %d, %s%s", code, stdout, stderr)
	}
	long := `{"id":"a","title":"` + strings.Repeat("x", 2000) + `"}`
	code, stdout, stderr = kilim(t, long, "feed", "--broker", broker, "--max-record-bytes", "1KiB", "-")
	if code != exitFailed || !strings.HasPrefix(stdout, "1 records") || !strings.Contains(stderr, "too_large") {
		t.Errorf("a record above the daemon's limit: exit code %d, %s%s", code, stdout, stderr)
	}
}

func TestDemoCommand(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := kilim(t, "", "demo", "--artifacts=20", "--no-media")
	if code != exitOK || strings.Count(stdout, "\n") != 20 {
		t.Fatalf("exit code %d, %d lines, %s", code, strings.Count(stdout, "\n"), stderr)
	}
	file := filepath.Join(t.TempDir(), "demo.jsonl")
	if code, _, stderr := kilim(t, "", "demo", "--artifacts=20", "--no-media", "--out", file); code != exitOK {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != stdout {
		t.Errorf("the file differs from the output (%v)", err)
	}
	if _, other, _ := kilim(t, "", "demo", "--artifacts=20", "--no-media", "--seed=2"); other == stdout {
		t.Error("another seed gives the same archive")
	}
}

// TestWatchATheme follows the topic of a theme, and of one artifact alone.
func TestWatchATheme(t *testing.T) {
	t.Parallel()
	broker := brokers(t)
	in := `{"id":"a","title":"one"}` + "\n" + `{"id":"b","title":"two"}` + "\n" + `{"id":"a","title":"three"}` + "\n"
	if code, _, stderr := kilim(t, in, "feed", "--broker", broker, "--topic", "kilim.similar.motif", "-"); code != exitOK {
		t.Fatalf("feed: exit code %d, %s", code, stderr)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, errs := newOutput(), newOutput()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"watch", "--broker", broker, "--theme", "motif", "--artifact", "a", "--from-beginning", "--json"}, environment(nil), nil, out, errs)
	}()
	if err := out.await(t.Context(), `three`); err != nil {
		t.Fatal(err)
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("watch: exit code %d, %s", code, errs)
	}
	if got, want := out.String(), `{"id":"a","title":"one"}`+"\n"+`{"id":"a","title":"three"}`+"\n"; got != want {
		t.Errorf("watch: %s, want %s", got, want)
	}
	if code, _, stderr := kilim(t, "", "watch", "--broker", broker, "--theme", "motif", "--topic", "other"); code != exitUsage {
		t.Errorf("a theme and a topic: exit code %d, %s", code, stderr)
	}
}
