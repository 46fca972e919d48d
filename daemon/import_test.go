package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
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

	// What a dry run shows of each sample is what the daemon has of it.
	s := serve(t, filepath.Join(t.TempDir(), "data"))
	want := map[string]string{} // records by id
	for _, c := range [][]string{
		{"csv", "moma.csv", "--map=moma"}, {"csv", "met.csv", "--map=met"}, {"csv", "cmoa.csv", "--map=cmoa"}, {"csv", "rijksmuseum.csv", "--map=rijksmuseum"},
		{"oai-dc", "oai-dc.xml"}, {"oai-dc", "europeana.xml", "--map=europeana"}, {"lido", "lido.xml"}, {"ead", "ead.xml"}, {"linked-art", "linked-art.jsonl"}, {"iiif", "iiif.json"},
	} {
		args := append([]string{"--from=" + c[0], samples + c[1]}, c[2:]...)
		_, shown, _ := kilim(t, "", append([]string{"feed", "--dry-run"}, args...)...)
		before := len(want)
		for line := range strings.Lines(shown) {
			var record struct {
				ID      string `json:"id"`
				Deleted bool   `json:"__deleted"`
			}
			if json.Unmarshal([]byte(line), &record) != nil || record.ID == "" {
				continue // how many there were
			}
			if record.Deleted {
				delete(want, record.ID)
			} else {
				want[record.ID] = strings.TrimSpace(line)
			}
		}
		if len(want) == before {
			t.Errorf("%s: no artifact in\n%s", c[1], shown)
		}
		if code, stdout, stderr := kilim(t, "", append([]string{"feed", "--broker", s.broker, "--allow-refused"}, args...)...); code != exitOK {
			t.Fatalf("%q: exit code %d\n%s%s", c, code, stdout, stderr)
		}
	}
	if code, stdout, stderr := kilim(t, "", "status", "--http", s.http, "--wait", "--json", "--timeout=10m"); code != exitOK || !strings.Contains(stdout, fmt.Sprintf(`"artifacts":%d,`, len(want))) {
		t.Fatalf("status: exit code %d, and not %d artifacts\n%s%s", code, len(want), stdout, stderr)
	}
	for id, record := range want {
		resp, err := http.Get("http://" + s.http + "/api/v1/artifacts/" + url.PathEscape(id))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(text), record) {
			t.Errorf("%s: %d %s (%v), want %s", id, resp.StatusCode, text, err, record)
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
