package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kilim/daemon/judgments"
)

// TestJudge judges by the command and over HTTP, with a daemon that is started anew between: the topic is the truth, of which both
// tell the same, and kilim eval reads what is exported.
func TestJudge(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, data)
	must := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := kilim(t, "", append(args, "--broker", s.broker)...)
		if code != exitOK {
			t.Fatalf("%q: exit code %d\n%s%s", args, code, stdout, stderr)
		}
		return stdout
	}
	told := func() (out []judgments.Judgment) {
		t.Helper()
		res, err := http.Get("http://" + s.http + "/api/v1/judgments")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var body struct{ Judgments []judgments.Judgment }
		if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
		return body.Judgments
	}
	must("judge", "one", "another", "2", "--by", "Ada")
	must("judge", "a|b", "c", "0.5", "--theme", "craft", "--by", "Ada")
	must("judge", "one", "bad", "1", "--by", "Ada")
	must("judge", "bad", "one", "--undo")
	must("judge", "one", "unlike", "0")
	post := func(body string) {
		t.Helper()
		res, err := http.Post("http://"+s.http+"/api/v1/judgments", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode != http.StatusOK {
			t.Fatal(res.Status)
		}
	}
	// What the daemon answers to, it has read back, and so all that was written before it to the one partition.
	post(`{"a":"one","b":"another","grade":3,"by":"Grace"}`)
	want := `{"a":"a|b","b":"c","grade":0.5,"theme":"craft","by":"Ada"}
{"a":"another","b":"one","grade":3,"by":"Grace"}
`
	check := func() {
		t.Helper()
		if all := told(); len(all) != 3 || all[0].By != "Ada" || all[1].By != "Grace" || all[2].Grade != 0 || all[2].By == "" {
			t.Errorf("the daemon tells %+v", all)
		}
		if got := must("judge", "--export"); got != want {
			t.Errorf("exported\n%s\nwant\n%s", got, want)
		}
	}
	check()
	s.stop(t)
	s = serve(t, data)
	post(`{"a":"one","b":"another","grade":3,"by":"Grace"}`)
	check()
	truth := filepath.Join(t.TempDir(), "truth.jsonl")
	if err := os.WriteFile(truth, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	// The archive is empty, which is another complaint than one about the file.
	if code, _, stderr := kilim(t, "", "eval", "--truth", truth, "--http", s.http); code != exitFailed || !strings.Contains(stderr, "none of the") {
		t.Errorf("eval: exit code %d: %s", code, stderr)
	}
	s.stop(t)
}

func TestJudgeRefuses(t *testing.T) {
	t.Parallel()
	for want, args := range map[string]string{
		"ids of two artifacts": "judge",
		"grade: is missing":    "judge a b",
		"grade: 11":            "judge a b 11 --by x",
		`b: "a"`:               "judge a a 1 --by x",
		"--undo wants none":    "judge a b 1 --undo",
		"--export prints all":  "judge a b 1 --export",
		"theme":                "judge a b 1 --by x --theme " + strings.Repeat("x", 300),
		"grade":                "judge a b much",
	} {
		if code, _, stderr := kilim(t, "", strings.Fields(args)...); code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d: %s, want it to say %q", args, code, stderr, want)
		}
	}
}
