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

// TestQuantile holds quantiles of a native histogram, and of what it got after a look at it, against those of the values.
func TestQuantile(t *testing.T) {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", NativeHistogramBucketFactor: 1.1})
	look := func() Metrics {
		t.Helper()
		m := new(dto.Metric)
		if err := h.Write(m); err != nil {
			t.Fatal(err)
		}
		return Metrics{"h": {Metric: []*dto.Metric{m}}}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	var before Metrics
	for _, mean := range []float64{0.1, 0.02, 0.5} {
		var values []float64
		for range 5000 {
			v := mean * rng.ExpFloat64()
			values = append(values, v)
			h.Observe(v)
		}
		slices.Sort(values)
		now := look()
		for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 1} {
			want := values[int(q*float64(len(values)))-1]
			if got, err := now.QuantileSince(before, "h", q); err != nil || got < want || got > 1.1*want {
				t.Errorf("mean %v: the quantile %v is %v (%v), of the values %v", mean, q, got, err, want)
			}
		}
		if got, err := now.QuantileSince(now, "h", 0.5); err == nil {
			t.Errorf("nothing has a quantile of %v", got)
		}
		before = now
	}
}
