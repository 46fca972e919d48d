package consumer

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer/profile"
)

// Metrics are what consumption counts. Nil *Metrics is not valid: tests pass
// NewMetrics of a registry of their own.
type Metrics struct {
	// Refused is counted by who makes a refusal durable, not here: a batch
	// that is read again after a crash must not be counted twice, and some
	// refusals need the state.
	Refused *prometheus.CounterVec

	lost         prometheus.Counter
	lag          *prometheus.GaugeVec
	batchRecords prometheus.Histogram
	batchBytes   prometheus.Histogram
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		Refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kilim_records_refused_total",
			Help: "Records that could not be used and went to the dead letters, by reason.",
		}, []string{"reason"}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kilim_records_lost_total",
			Help: "Offsets that the broker had deleted before they were read.",
		}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "kilim_consumer_lag_records",
			Help: "Records of an assigned partition that are not durable in the state yet.",
		}, []string{"topic", "partition"}),
		batchRecords: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                            "kilim_batch_records",
			Help:                            "Records of a batch.",
			Buckets:                         prometheus.ExponentialBuckets(1, 2, 12),
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		}),
		batchBytes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                            "kilim_batch_bytes",
			Help:                            "Size of a batch's records.",
			Buckets:                         prometheus.ExponentialBuckets(1024, 4, 8),
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		}),
	}
	for _, r := range profile.Reasons() {
		m.Refused.WithLabelValues(r)
	}
	reg.MustRegister(m.Refused, m.lost, m.lag, m.batchRecords, m.batchBytes)
	return m
}
