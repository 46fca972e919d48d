package encode

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Steps of a medium's way that take time and may fail.
const (
	stepFetch  = "fetch"
	stepEncode = "encode"
)

// Metrics are what a worker counts.
type Metrics struct {
	encoded  *prometheus.CounterVec
	refused  *prometheus.CounterVec
	failures *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		encoded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kilim_media_encoded_total",
			Help: "Media that got a vector, those included whose content had one already.",
		}, []string{"kind"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kilim_media_refused_total",
			Help: "Media that can't be fetched or encoded and are not tried again, by reason.",
		}, []string{"kind", "reason"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kilim_media_failures_total",
			Help: "Attempts to fetch or encode a medium that failed and will be repeated.",
		}, []string{"kind", "step"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "kilim_media_duration_seconds",
			Help:                            "Time to fetch a medium, or of one call of an encoder (which may be of several media).",
			Buckets:                         prometheus.ExponentialBuckets(0.001, 2, 16),
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"kind", "step"}),
	}
	reg.MustRegister(m.encoded, m.refused, m.failures, m.duration)
	for _, kind := range []string{"text", "image", "audio"} {
		m.encoded.WithLabelValues(kind)
		for _, step := range []string{stepFetch, stepEncode} {
			m.failures.WithLabelValues(kind, step)
		}
	}
	return m
}

func (m *Metrics) answered(a *Answer) {
	if a.Refusal != nil {
		m.refused.WithLabelValues(a.Kind, a.Refusal.Reason).Inc()
		return
	}
	m.encoded.WithLabelValues(a.Kind).Inc()
}

func (m *Metrics) failed(kind, step string) { m.failures.WithLabelValues(kind, step).Inc() }

func (m *Metrics) took(kind, step string, since time.Time) {
	m.duration.WithLabelValues(kind, step).Observe(time.Since(since).Seconds())
}
