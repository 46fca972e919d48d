package daemonproc

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func TestMetrics(t *testing.T) {
	i := newFake(t)
	serve(t, i)
	m, err := i.Metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Total("done_total"); got != 7 {
		t.Errorf("total %v", got)
	}
	if got := m.Observations("stage_seconds"); got != 3 {
		t.Errorf("observations %v", got)
	}
	if got := m.Sums("stage_seconds", "stage"); !maps.Equal(got, map[string]float64{"graph": 2, "index": 7}) {
		t.Errorf("sums %v", got)
	}
	if got, err := m.Quantile("fresh_seconds", 0.5); err != nil || got < 0.5 || got > 0.55 {
		t.Errorf("quantile %v, %v", got, err)
	}
	for _, name := range []string{"none", "idle_seconds", "stage_seconds", "done_total"} {
		if _, err := m.Quantile(name, 0.5); err == nil {
			t.Errorf("%s has a quantile", name)
		}
	}
	var before Metrics
	if before.Total("done_total") != 0 || before.Observations("stage_seconds") != 0 || len(before.Sums("stage_seconds", "stage")) != 0 {
		t.Error("there was something before the start")
	}
}

// TestQuantile holds quantiles of a native histogram against those of the values in it.
func TestQuantile(t *testing.T) {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", NativeHistogramBucketFactor: 1.1})
	rng := rand.New(rand.NewPCG(1, 1))
	var values []float64
	for range 5000 {
		v := rng.ExpFloat64() / 10
		values = append(values, v)
		h.Observe(v)
	}
	slices.Sort(values)
	var m dto.Metric
	if err := h.Write(&m); err != nil {
		t.Fatal(err)
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 1} {
		want := values[int(q*float64(len(values)))-1]
		if got := quantile(m.GetHistogram(), q); got < want || got > 1.1*want {
			t.Errorf("the quantile %v is %v, of the values %v", q, got, want)
		}
	}
}
