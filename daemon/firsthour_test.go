package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFirstHour types what somebody types who has just built kilim, each mistake included, and wants to be told in plain words what to
// do next.
func TestFirstHour(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String() // no one listens there from now on
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data")
	type step struct {
		stdin  string
		args   []string
		code   int
		stdout []string
		stderr []string
	}
	try := func(steps []step) {
		t.Helper()
		for _, c := range steps {
			code, stdout, stderr := kilim(t, c.stdin, c.args...)
			if code != c.code {
				t.Errorf("kilim %q: exit code %d, want %d\n%s%s", c.args, code, c.code, stdout, stderr)
			}
			for _, want := range c.stdout {
				if !strings.Contains(stdout, want) {
					t.Errorf("kilim %q: no %q in\n%s", c.args, want, stdout)
				}
			}
			for _, want := range c.stderr {
				if !strings.Contains(stderr, want) {
					t.Errorf("kilim %q: no %q in\n%s", c.args, want, stderr)
				}
			}
		}
	}
	noDaemon := []string{"no daemon answers at http://" + nobody, "is it running? --http says where it is"}
	try([]step{
		{args: nil, stdout: []string{"Usage: kilim", "serve", "rejected", "Exit codes"}},
		{args: []string{"--version"}, stdout: []string{"kilim "}},
		{args: []string{"status", "--http", nobody}, code: 1, stderr: noDaemon},
		{args: []string{"model", "--http", nobody}, code: 1, stderr: noDaemon},
		{args: []string{"status", "--wait", "--timeout=50ms", "--http", nobody}, code: 3, stderr: append(noDaemon, "not done after 50ms")},
		{stdin: `{"id":"x"}`, args: []string{"feed", "--timeout=200ms", "--broker", nobody, "-"}, code: 3, stderr: []string{"not done after 200ms"}},
		{args: []string{"config", "--lists.size=0"}, code: 2, stderr: []string{"lists.size: 0"}},
	})

	s := serve(t, data, "--train.least=2000")
	try([]step{
		{stdin: `{"id":"a","titel":"a kilim","culture":"Anatolian"}` + "\n" + `{"id":"b","titel":"a song","date":{"begin":"long ago"}}` + "\n", args: []string{"feed", "--broker", s.broker, "-"},
			stdout: []string{"2 records acknowledged"}, stderr: []string{`not understood: "titel" in 2 records: did you mean "title"?`, `not understood: "date" in 1 record, a begin or end that is no year`}},
		{stdin: `{"id":"c","title":"a bowl"}` + "\n" + `{"id":"d","title":7}` + "\n", args: []string{"feed", "--broker", s.broker, "-"}, code: 1, stderr: []string{"line 2: ", "title"}},
		{args: []string{"status", "--wait", "--http", s.http}, stdout: []string{
			"artifacts       3", "4 consumed, 1 refused", `last refused    "d", kilim.artifacts/0@3: `, "kilim rejected", `"titel" in 2 records: did you mean "title"?`, "nothing trained yet: waits for 2000 artifacts (has 3)"}},
		{args: []string{"rejected", "--broker", s.broker}, stdout: []string{"d  kilim.artifacts/0@3  ", "title"}},
		{args: []string{"rejected", "--broker", s.broker, "--json"}, stdout: []string{`{"id":"d","topic":"kilim.artifacts","partition":0,"offset":3,"reason":"wrong_type"`}},
		{args: []string{"rejected", "--broker", s.broker, "--topic", "kilim.artifacts"}, stdout: []string{"not a dead letter"}},
		{args: []string{"check", "--data", data}, code: 1, stderr: []string{"has " + data + " open: stop it first"}},
		{args: []string{"reread", "--data", data}, code: 1, stderr: []string{"has " + data + " open: stop it first"}},
		{args: []string{"train", "--data", data, "--train.least=100"}, code: 1, stderr: []string{"has " + data + " open: it trains by itself"}},
		{args: []string{"eval", "--data", data, "--truth", truthFile(t)}, code: 1, stderr: []string{"has " + data + " open: stop it, or ask it with --http"}},
		{args: []string{"eval", "--http", s.http, "--truth", truthFile(t)}, stdout: []string{"list total: 2 queries"}},
		{args: []string{"model", "--http", s.http}, stdout: []string{"serves"}},
		{args: []string{"model", "rollback", "--http", s.http}, code: 1, stderr: []string{"epoch 1 serves, which was trained from no other"}},
	})
	if log := s.log.String(); !strings.Contains(log, "records are refused") || !strings.Contains(log, `"last":"d"`) {
		t.Errorf("the log does not tell of the refused record:\n%s", log)
	}
	s.stop(t)
	try([]step{{args: []string{"check", "--data", data, "--sizes", "--log.level=error"}, stdout: []string{"no fault", "3 artifacts  rows", "documents     3", "all rows", "files of the value log"}}})
}

// truthFile has a judgment.
func truthFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "truth.jsonl")
	if err := os.WriteFile(file, []byte(`{"a":"a","b":"c","grade":1}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
