package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// served is a daemon in this process, on ports of its own.
type served struct {
	http, broker string
	cancel       context.CancelFunc
	done         <-chan int
	log          *output
}

func serve(t *testing.T, data string, flags ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	done := make(chan int, 1)
	s := &served{cancel: cancel, done: done, log: newOutput()}
	args := []string{"serve", "--data", data, "--http", "127.0.0.1:0", "--broker", "embedded://127.0.0.1:0", "--log.format=json"}
	args = append(args, flags...)
	go func() { done <- run(ctx, args, narrow(), nil, s.log, s.log) }()
	within, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	if err := s.log.await(within, `"msg":"running"`); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(s.log.String()) {
		var l struct{ Msg, HTTP, Broker string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "running" {
			s.http, s.broker = l.HTTP, l.Broker
		}
	}
	return s
}

func (s *served) stop(t *testing.T) {
	t.Helper()
	s.cancel()
	if code := <-s.done; code != exitOK {
		t.Errorf("serve: exit code %d\n%s", code, s.log)
	}
}

// The commands against a daemon: feed, wait, stop, check, start again, delete.
func TestCommandsTogether(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	must := func(stdin string, args ...string) string {
		t.Helper()
		code, stdout, stderr := kilim(t, stdin, args...)
		if code != exitOK {
			t.Fatalf("%q: exit code %d\n%s%s", args, code, stdout, stderr)
		}
		return stdout
	}
	archive := must("", "demo", "--artifacts=30", "--no-media")

	s := serve(t, data)
	must(archive, "feed", "--broker", s.broker, "-")
	status := must("", "status", "--http", s.http, "--wait", "--json", "--timeout=10m")
	if !strings.Contains(status, `"artifacts":30,`) {
		t.Errorf("after the feed: %s", status)
	}
	if code, _, stderr := kilim(t, "", "check", "--data", data); code != exitFailed || !strings.Contains(stderr, "has "+data+" open: stop it first") {
		t.Errorf("check of a running daemon's folder: exit code %d, %s", code, stderr)
	}
	// The archive holds its own truth: its themes. A daemon and its folder are judged alike.
	truth := filepath.Join(t.TempDir(), "truth.jsonl")
	if err := os.WriteFile(truth, []byte(archive), 0o600); err != nil {
		t.Fatal(err)
	}
	online := must("", "eval", "--truth", truth, "--http", s.http, "--json")
	s.stop(t)
	must("", "check", "--data", data, "--log.level=error")
	if offline := must("", "eval", "--truth", truth, "--data", data, "--json", "--log.level=error"); offline != online || !strings.Contains(online, `"name": "BM25"`) {
		t.Errorf("the folder is judged\n%s\nand the daemon\n%s", offline, online)
	}
	if code, _, stderr := kilim(t, "", "eval", "--truth", truth, "--data", data, "--list", "theme:cooking"); code != exitFailed || !strings.Contains(stderr, "cooking") {
		t.Errorf("a theme that is not there: exit code %d, %s", code, stderr)
	}

	s = serve(t, data)
	var deletes strings.Builder
	for line := range strings.Lines(archive) {
		var a struct{ ID string }
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		deletes.WriteString(`{"id":"` + a.ID + `","__deleted":true}` + "\n")
	}
	must(deletes.String(), "feed", "--broker", s.broker, "-")
	status = must("", "status", "--http", s.http, "--wait", "--json", "--timeout=10m")
	if !strings.Contains(status, `"artifacts":0,"placeholders":0,`) {
		t.Errorf("after the deletes: %s", status)
	}
	s.stop(t)
	must("", "check", "--data", data, "--log.level=error")
}

func TestServeThatCanNotStart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := kilim(t, "", "serve", "--data", file, "--http=127.0.0.1:0", "--broker=embedded://127.0.0.1:0")
	if code != exitFailed || !strings.Contains(stderr, file) {
		t.Errorf("data is a file: exit code %d, %s", code, stderr)
	}
	code, _, stderr = kilim(t, "", "check", "--data", file+"/nowhere")
	if code != exitFailed || !strings.Contains(stderr, "nowhere") {
		t.Errorf("check of nothing: exit code %d, %s", code, stderr)
	}
}
