package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kilim/daemon/browse"
	"kilim/daemon/browse/projection"
	"kilim/daemon/pipeline/atlas"
)

// plotted answers as a daemon with an archive of few artifacts, "a/1" among them.
func plotted(t *testing.T) (url string) {
	t.Helper()
	answers := map[string]any{
		"/api/v1/cultures?k=12&kind=period": atlas.Answer{
			Kind: "period", Epoch: 2, All: 3, Groups: []atlas.Group{{Key: "x", Label: "Safavid", Artifacts: 7}, {Key: "y", Label: "عصر", Artifacts: 5}},
			Cells: []atlas.Cell{{A: "x", B: "y", Contrast: 0.25}}, Tree: atlas.Tree{Leaves: []string{"y", "x"}, Merges: []atlas.Merge{{A: 0, B: 1, Height: 0.75}}},
		},
		"/api/v1/cultures?k=12&kind=place":              atlas.Answer{Kind: "place"},
		"/api/v1/artifacts/a%2F1/card?":                 browse.Card{ID: "a/1", Title: "<The first>", Culture: "Anatolian"},
		"/api/v1/artifacts/lonely/card?":                browse.Card{ID: "lonely"},
		"/api/v1/artifacts/lonely/list?k=12&list=total": browse.List{},
	}
	body := binary.LittleEndian.AppendUint64(nil, 7)
	body = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(body, 3), 4)
	for _, n := range []uint16{0, 65534, 32767, 32767, 65535, 65535, 65534, ' ' | '\n'<<8} { // the third is gone, and the last ends as a text might
		body = binary.LittleEndian.AppendUint16(body, n)
	}
	made := time.Date(2026, 11, 30, 9, 5, 0, 0, time.UTC)
	answers["/api/v1/map?"] = projection.Status{Edition: 7, Points: 3, Artifacts: 5, MostPoints: 100, Made: &made, Phase: "idle", Trust: &projection.Trust{Trustworthiness: 0.9, Continuity: 0.8, K: 15}}
	answers["/api/v1/map/points?"] = body
	answers["/api/v1/map/colours?field=culture"] = []byte(`{"edition":7,"values":[{"label":"<b>Anatolian","count":2}]}` + "\n\x01\x00\x01 ")
	answers["/api/v1/map/colours?field=type"] = []byte(`{"edition":8,"values":[]}` + "\n")
	for of, others := range map[string][]string{"a%2F1": {"b", "c"}, "b": {"c", "elsewhere"}, "c": {"a/1"}} {
		list := browse.List{Name: "total"}
		for i, id := range others {
			list.Items = append(list.Items, browse.Item{ID: id, Score: 0.5 - float64(i)/4, Card: &browse.Card{ID: id, Title: "Title of " + id}})
		}
		answers["/api/v1/artifacts/"+of+"/list?k=12&list=total"] = list
		answers["/api/v1/artifacts/"+of+"/list?k=2&list=theme%3Amotif"] = list
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.EscapedPath()+"?"+r.URL.Query().Encode()]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			answer = map[string]string{"error": fmt.Sprintf("nothing at %s", r.URL)}
		}
		if raw, is := answer.([]byte); is {
			_, _ = w.Write(raw)
		} else if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestPlot draws each figure into a file, of what the daemon answers.
func TestPlot(t *testing.T) {
	t.Parallel()
	url := plotted(t)
	for _, c := range []struct {
		args   string
		format string
		has    []string // texts of an SVG
		said   string
	}{
		{"cultures --kind period", "svg", []string{"Safavid", "عصر", "+0.25", "2 largest of 3"}, ""},
		{"cultures --kind period", "png", nil, "عصر"},
		{"dendrogram --kind period", "SVG", []string{"Safavid", "average linkage", "0.2"}, ""},
		{"network a/1", "svg", []string{"&lt;The first&gt;", "Title of b", "Title of c", "Anatolian", "the list total"}, ""},
		{"network a/1 --theme motif --top 2", "svg", []string{"theme:motif"}, ""},
		{"map", "svg", []string{"&lt;b&gt;Anatolian  2", "other, or not known  2", "2 more artifacts wait", "2026-11-30 09:05 UTC; trustworthiness 0.900, continuity 0.800"}, ""},
		{"map", "png", nil, ""},
	} {
		file := filepath.Join(t.TempDir(), "figure."+c.format)
		code, stdout, stderr := kilim(t, "", append([]string{"plot"}, append(strings.Fields(c.args), "--http", url, "-o", file)...)...)
		if code != exitOK || stdout != "" || !strings.Contains(stderr, c.said) || (c.said == "") != (stderr == "") {
			t.Errorf("%s: exit code %d, %s%s", c.args, code, stdout, stderr)
		}
		figure, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range c.has {
			if !bytes.Contains(figure, []byte(text)) {
				t.Errorf("%s: no %q in the figure", c.args, text)
			}
		}
		if _, err := png.DecodeConfig(bytes.NewReader(figure)); (err == nil) != (c.format == "png") {
			t.Errorf("%s: as %s: %v", c.args, c.format, err)
		}
		if strings.Contains(string(figure), "elsewhere") {
			t.Errorf("%s: what is not in the artifact's own list is in the network", c.args)
		}
	}
}

// TestPlotFails leaves no file.
func TestPlotFails(t *testing.T) {
	t.Parallel()
	url := plotted(t)
	for _, c := range []struct {
		args, file string
		code       int
		said       string
	}{
		{"cultures", "x.pdf", exitUsage, ".svg or .png"}, {"network a/1", "svg", exitUsage, ".svg or .png"}, {"network a/1 --top 31", "x.svg", exitUsage, "1 to 30"},
		{"cultures --kind place", "x.svg", exitFailed, "fewer than two groups of kind place"}, {"network nobody", "x.svg", exitFailed, "nothing at /api/v1/artifacts/nobody/card"},
		{"network lonely", "x.svg", exitFailed, `list total of artifact "lonely" is empty`}, {"cultures --kind colour", "x.svg", exitUsage, "colour"},
		{"dendrogram --kind period", "no/folder/x.svg", exitFailed, "no/folder"}, {"map --by type", "x.svg", exitFailed, "laid out anew"},
		{"map --by period", "x.svg", exitFailed, "nothing at /api/v1/map/colours"},
	} {
		file := filepath.Join(t.TempDir(), c.file)
		code, _, stderr := kilim(t, "", append([]string{"plot"}, append(strings.Fields(c.args), "--http", url, "-o", file)...)...)
		if code != c.code || !strings.Contains(stderr, c.said) {
			t.Errorf("%s: exit code %d, %s, want %d", c.args, code, stderr, c.code)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s: there is a file", c.args)
		}
	}
}
