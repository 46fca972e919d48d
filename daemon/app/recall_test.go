package app

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// metrics are the values of a scrape by name; of a metric with a label result, those of that result.
func (d *daemon) metrics(result string) map[string]float64 {
	d.t.Helper()
	res, err := http.Get("http://" + d.app.HTTP().String() + "/metrics")
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	out := map[string]float64{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			if l := m.GetLabel(); len(l) > 0 && (l[0].GetName() != "result" || l[0].GetValue() != result) {
				continue
			}
			out[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return out
}

// TestRecallIsWatched: the default index is the graph, live queries are checked while the daemon works, and what it
// exports of that is right; stopping leaves the index's snapshot.
func TestRecallIsWatched(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	d := start(t, cfg)
	d.feed(kilims(0, 40, "")...)
	if s := d.settle(40); s.Index.Engine != "hnsw" {
		t.Errorf("the engine is %q", s.Index.Engine)
	}
	// More than is stored, so that the index is asked.
	query := "/api/v1/artifacts/" + url.PathEscape("a/7") + "/similar?list=general&k=25"
	var m map[string]float64
	for deadline := time.Now().Add(hang); m["kilim_index_recall_checks_total"] < 3; m = d.metrics("ok") {
		if time.Now().After(deadline) {
			t.Fatalf("no checks: %v", m)
		}
		if code := d.get(query, nil); code != http.StatusOK {
			t.Fatalf("status %d", code)
		}
	}
	// So small an archive is searched exactly. Vectors that were put while the archive was fed were checked too, though,
	// and one that came between a check's two searches is missing in the first.
	if m["kilim_index_recall_ratio"] < 0.8 || m["kilim_index_recall_ratio"] > 1 {
		t.Errorf("kilim_index_recall_ratio is %v", m["kilim_index_recall_ratio"])
	}
	if s := m["kilim_index_recall_check_seconds_total"]; s <= 0 || s > 10 {
		t.Errorf("kilim_index_recall_check_seconds_total is %v", s)
	}
	if n, ok := d.metrics("swapped")["kilim_index_rebuilds_total"]; !ok || n != 0 {
		t.Errorf("kilim_index_rebuilds_total is %v", n)
	}
	d.end()
	if _, err := os.Stat(filepath.Join(cfg.Data, "index.snapshot")); err != nil {
		t.Error(err)
	}
}
