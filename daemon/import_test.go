package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFeedFromOtherFormats feeds a CSV and a LIDO file to a daemon in this process and reads the artifacts back, and shows what a
// dry run tells before.
func TestFeedFromOtherFormats(t *testing.T) {
	t.Parallel()
	samples := "feed/importer/testdata/"
	code, stdout, stderr := kilim(t, "", "feed", "--from", "csv", "--map", "moma", "--dry-run", samples+"moma.csv")
	if code != exitFailed || strings.Count(stdout, "\n") != 4 || !strings.Contains(stdout, "nothing is sent: 3 records, ") || !strings.HasPrefix(stdout, `{"collection":["Drawings & Prints"]`) {
		t.Errorf("a dry run: exit code %d\n%s", code, stdout)
	}
	for _, want := range []string{
		"csv: delimiter ',', 22 times in the header\n", "3 artifacts made of 6 records\n", "mapped: title in 3\n",
		`not mapped: "Gender", 3 values, such as "(female) (female)"` + "\n", "broken: line 5: 25 cells, and 23 columns\n",
		"no artifact could be made of 3 records of the file; the others were read\n",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("a dry run: no %q in\n%s", want, stderr)
		}
	}

	s := serve(t, filepath.Join(t.TempDir(), "data"))
	for _, c := range [][]string{{"--from=csv", "--map=moma", "--allow-refused", samples + "moma.csv"}, {"--from=lido", samples + "lido.xml"}} {
		if code, stdout, stderr := kilim(t, "", append([]string{"feed", "--broker", s.broker}, c...)...); code != exitOK {
			t.Fatalf("%q: exit code %d\n%s%s", c, code, stdout, stderr)
		}
	}
	if code, stdout, stderr := kilim(t, "", "status", "--http", s.http, "--wait", "--json", "--timeout=10m"); code != exitOK || !strings.Contains(stdout, `"artifacts":4,`) {
		t.Fatalf("status: exit code %d\n%s%s", code, stdout, stderr)
	}
	for id, title := range map[string]string{"moma:900001": "Study for a Loom, No. 3", "moma:900002": `Untitled "Knot"`, "example:obj-1": "Vase with cranes"} {
		resp, err := http.Get("http://" + s.http + "/api/v1/artifacts/" + id)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if quoted, _ := json.Marshal(title); err != nil || !strings.Contains(string(text), string(quoted)) {
			t.Errorf("%s: %s (%v), want %s", id, text, err, quoted)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	s.stop(t)
}

// TestImportFlags: what can't be meant is refused before anything is read.
func TestImportFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want string
		code int
		args []string
	}{
		{"--map and --encoding are for --from FORMAT", exitUsage, []string{"--map", "met", "-"}},
		{`must be one of "","csv"`, exitUsage, []string{"--from", "mods", "-"}},
		{"xlsx must be a file", exitFailed, []string{"--from", "xlsx", "-"}},
		{"no xlsx workbook", exitFailed, []string{"--from", "xlsx", "feed/importer/testdata/moma.csv"}},
		{"no column for the id", exitFailed, []string{"--from", "csv", "--map", "met", "feed/importer/testdata/moma.csv"}},
	} {
		code, _, stderr := kilim(t, "", append([]string{"feed", "--dry-run"}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: exit code %d, %s", c.args, code, stderr)
		}
	}
	// A dry run reads artifacts too, and needs no broker.
	if code, stdout, stderr := kilim(t, `{"id":"a","titel":"x","title":"y"}`, "feed", "--dry-run", "-"); code != exitOK || !strings.Contains(stdout, "nothing is sent: 1 records") || !strings.Contains(stderr, `did you mean "title"?`) {
		t.Errorf("a dry run of artifacts: exit code %d, %s%s", code, stdout, stderr)
	}
	if _, err := os.Stat("data"); err == nil {
		t.Error("a dry run made a folder")
	}
}
