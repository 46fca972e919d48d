package queries

import "github.com/prometheus/client_golang/prometheus"

// Metrics are what a Keeper counts.
type Metrics struct {
	asked, told, failures, asking prometheus.Counter
	failing                       prometheus.Gauge
}

// NewMetrics registers the metrics of a Keeper.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "kilim_queries_" + name, Help: help})
	}
	m := &Metrics{
		asked:    counter("asked_total", "How often standing queries were asked."),
		told:     counter("told_total", "Updates and tombstones of standing queries that were stored to be published."),
		failures: counter("failures_total", "Rounds of standing queries that failed and are made again: the store can't be read or written."),
		asking:   counter("asking_seconds_total", "How long it took to answer standing queries, and to encode their media."),
		failing: prometheus.NewGauge(prometheus.GaugeOpts{Name: "kilim_queries_failing",
			Help: "Standing queries that can't be asked now, and why is said at /api/v1/queries; they are tried again."}),
	}
	reg.MustRegister(m.asked, m.told, m.failures, m.asking, m.failing)
	return m
}
