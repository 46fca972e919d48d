package publish

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/rerank"
)

// Metrics count what the publisher does.
type Metrics struct {
	published  *prometheus.CounterVec
	failures   prometheus.Counter
	reconciled prometheus.Counter
	shortened  *prometheus.CounterVec
	freshness  prometheus.Histogram
}

// NewMetrics registers the metrics; with nil they are counted and shown nowhere.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		published: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kilim_published_messages_total",
			Help: "Messages that left the outbox after Kafka acknowledged them, by topic.",
		}, []string{"topic"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kilim_publish_failures_total",
			Help: "Attempts to deliver the outbox that failed and were repeated after reconciliation.",
		}),
		reconciled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kilim_reconciled_messages_total",
			Help: "Messages of the outbox that reconciliation found in Kafka, and that were not sent again.",
		}),
		shortened: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kilim_shortened_messages_total",
			Help: "Messages that were larger than their topic takes and were shortened, at each attempt to send them, by topic.",
		}, []string{"topic"}),
		freshness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                        "kilim_freshness_seconds",
			Help:                        "Time from an artifact's record to the acknowledgement of its own update.",
			Buckets:                     []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600},
			NativeHistogramBucketFactor: 1.1,
		}),
	}
	// All are there from the start: an alert can't tell a missing series from none.
	m.published.WithLabelValues(labelSimilar)
	m.published.WithLabelValues(labelDeadLetters)
	m.published.WithLabelValues(labelThemes)
	m.published.WithLabelValues(labelCultures)
	m.published.WithLabelValues(labelQueries)
	m.shortened.WithLabelValues(labelSimilar)
	m.shortened.WithLabelValues(labelDeadLetters)
	m.shortened.WithLabelValues(labelThemes)
	m.shortened.WithLabelValues(labelCultures)
	m.shortened.WithLabelValues(labelQueries)
	if reg != nil {
		reg.MustRegister(m.published, m.failures, m.reconciled, m.shortened, m.freshness)
	}
	return m
}

const (
	labelSimilar     = "similar"
	labelDeadLetters = "dead_letters"
	labelCultures    = "cultures"
	labelQueries     = "queries"
	labelThemes      = "themes" // all of them: an archive may have any number
)

// label names a topic by its role: topic names are configuration, dashboards are not.
func label(kind rerank.Kind) string {
	switch kind {
	case rerank.KindMessage:
		return labelDeadLetters
	case rerank.KindThemed:
		return labelThemes
	case rerank.KindCell:
		return labelCultures
	case rerank.KindQuery:
		return labelQueries
	}
	return labelSimilar
}

func (m *Metrics) acked(done []Published, now time.Time) {
	for i := range done {
		d := &done[i]
		m.published.WithLabelValues(label(d.Kind)).Inc()
		if d.Own && !d.Recorded.IsZero() {
			// A producer's clock that is ahead of ours is no time travel.
			m.freshness.Observe(max(now.Sub(d.Recorded).Seconds(), 0))
		}
	}
}
