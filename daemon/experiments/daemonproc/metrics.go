package daemonproc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Metrics are what the daemon's /metrics said at a moment, by name. A nil Metrics is that of before the start.
type Metrics map[string]*dto.MetricFamily

// Metrics asks for Prometheus' protocol buffers: the text format leaves out the fine buckets of histograms.
func (i *Instance) Metrics(ctx context.Context) (Metrics, error) {
	res, err := i.do(ctx, http.MethodGet, "/metrics", http.Header{"Accept": {string(expfmt.NewFormat(expfmt.TypeProtoDelim))}})
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if err := expect(res, http.StatusOK); err != nil {
		return nil, err
	}
	all := Metrics{}
	for in := expfmt.NewDecoder(res.Body, expfmt.ResponseFormat(res.Header)); ; {
		f := new(dto.MetricFamily)
		switch err := in.Decode(f); {
		case errors.Is(err, io.EOF) && len(all) > 0:
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("daemonproc: metrics: %w", err)
		}
		all[f.GetName()] = f
	}
}

// Total adds up a counter or gauge over its labels. A counter that has not counted yet may be missing, and is 0.
func (m Metrics) Total(name string) (sum float64) {
	for _, one := range m[name].GetMetric() {
		sum += one.GetCounter().GetValue() + one.GetGauge().GetValue()
	}
	return sum
}

// Observations counts those of a histogram over its labels.
func (m Metrics) Observations(name string) (n uint64) {
	for _, one := range m[name].GetMetric() {
		n += one.GetHistogram().GetSampleCount()
	}
	return n
}

// Sums adds up what a histogram has observed, by the values of a label.
func (m Metrics) Sums(name, label string) map[string]float64 {
	out := map[string]float64{}
	for _, one := range m[name].GetMetric() {
		for _, l := range one.GetLabel() {
			if l.GetName() == label {
				out[l.GetValue()] += one.GetHistogram().GetSampleSum()
			}
		}
	}
	return out
}

// Quantile is the upper bound of the bucket of a native histogram without labels in which the q-th of all values is. Values
// in the bucket around zero count as 0.
func (m Metrics) Quantile(name string, q float64) (float64, error) {
	return m.QuantileSince(nil, name, q)
}

// QuantileSince is Quantile over the values that were observed after before.
func (m Metrics) QuantileSince(before Metrics, name string, q float64) (float64, error) {
	all := m[name].GetMetric()
	if len(all) != 1 {
		return 0, fmt.Errorf("daemonproc: %s is not one histogram", name)
	}
	now, was := all[0].GetHistogram(), before.histogram(name)
	if was.GetSampleCount() > 0 && was.GetSchema() != now.GetSchema() {
		return 0, fmt.Errorf("daemonproc: %s has other buckets than before", name)
	}
	if now.GetSampleCount() <= was.GetSampleCount() {
		return 0, fmt.Errorf("daemonproc: %s has no new values", name)
	}
	return quantile(now, was, q), nil
}

// histogram is the only one of a name, nil where there is none.
func (m Metrics) histogram(name string) *dto.Histogram {
	if all := m[name].GetMetric(); len(all) == 1 {
		return all[0].GetHistogram()
	}
	return nil
}

// quantile is that of the values in h that are not in was, whose buckets are as wide.
func quantile(h, was *dto.Histogram, q float64) float64 {
	want := q * float64(h.GetSampleCount()-was.GetSampleCount())
	seen := float64(h.GetZeroCount()) - float64(was.GetZeroCount())
	if seen >= want {
		return 0
	}
	base, earlier := math.Exp2(math.Exp2(-float64(h.GetSchema()))), counts(was)
	now := counts(h)
	for _, bucket := range slices.Sorted(maps.Keys(now)) {
		if seen += now[bucket] - earlier[bucket]; seen >= want {
			return math.Pow(base, float64(bucket))
		}
	}
	return math.Inf(1)
}

// counts are how many values are in each bucket above zero.
func counts(h *dto.Histogram) map[int]float64 {
	out := map[int]float64{}
	bucket, count, deltas := 0, 0.0, h.GetPositiveDelta()
	for _, span := range h.GetPositiveSpan() {
		bucket += int(span.GetOffset())
		for range span.GetLength() {
			count += float64(deltas[0])
			deltas = deltas[1:]
			out[bucket] = count
			bucket++
		}
	}
	return out
}
