package main

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// TestQuantile holds quantiles of a native histogram against those of the values in it.
func TestQuantile(t *testing.T) {
	t.Parallel()
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
