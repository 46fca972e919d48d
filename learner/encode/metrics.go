package encode

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/learner/encode/feature"
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

// NewMetrics registers the metrics, for the given modalities.
func NewMetrics(reg prometheus.Registerer, kinds []string) *Metrics {
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
	for _, kind := range kinds {
		m.encoded.WithLabelValues(kind)
		for _, reason := range feature.Reasons() {
			m.refused.WithLabelValues(kind, reason)
		}
		for _, step := range []string{stepFetch, stepEncode} {
			m.failures.WithLabelValues(kind, step)
			m.duration.WithLabelValues(kind, step)
		}
	}
	return m
}

func (m *Metrics) answered(a *Answer) {
	if a.Refusal != nil {
		m.Refused(a.Kind, a.Refusal.Reason)
		return
	}
	m.encoded.WithLabelValues(a.Kind).Inc()
}

// Refused counts a medium that is refused, by a worker or before one is asked.
func (m *Metrics) Refused(kind, reason string) { m.refused.WithLabelValues(kind, reason).Inc() }

func (m *Metrics) failed(kind, step string) { m.failures.WithLabelValues(kind, step).Inc() }

func (m *Metrics) took(kind, step string, since time.Time) {
	m.duration.WithLabelValues(kind, step).Observe(time.Since(since).Seconds())
}

// Collector exports what waits, at scrape time.
func (q *Queue) Collector() prometheus.Collector { return collector{q} }

type collector struct{ q *Queue }

var (
	waitingDesc = prometheus.NewDesc("kilim_media_waiting", "Media that wait to be encoded; held: of these, those that failed several times in a row, or whose encoder did.", []string{"kind", "held"}, nil)
	againDesc   = prometheus.NewDesc("kilim_media_again", "Media that were refused because they were not there or not allowed, and are tried again since the daemon was started.", []string{"kind"}, nil)
	oldestDesc  = prometheus.NewDesc("kilim_media_oldest_waiting_seconds", "How long the medium has waited that waits longest, 0 when none does.", []string{"kind"}, nil)
)

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	ch <- waitingDesc
	ch <- againDesc
	ch <- oldestDesc
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	for _, kind := range c.q.Kinds() {
		d := c.q.Depth(kind)
		gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, append([]string{kind}, labels...)...)
		}
		gauge(waitingDesc, float64(d.Waiting-d.Held), "false")
		gauge(waitingDesc, float64(d.Held), "true")
		gauge(againDesc, float64(d.Again))
		age := 0.0
		if oldest := c.q.Oldest(kind); !oldest.IsZero() {
			age = max(time.Since(oldest).Seconds(), 0)
		}
		gauge(oldestDesc, age)
	}
}
