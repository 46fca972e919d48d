package cultures

import "github.com/prometheus/client_golang/prometheus"

// Metrics are what a Keeper counts.
type Metrics struct {
	cells            prometheus.Gauge
	rounds, failures prometheus.Counter
	reading          prometheus.Counter
}

// NewMetrics registers the metrics of a Keeper.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "kilim_cultures_" + name, Help: help})
	}
	m := &Metrics{
		cells:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "kilim_cultures_cells", Help: "Cells of the maps of cultures, periods and places that are stored and published."}),
		rounds:   counter("rounds_total", "How often all cells were compared with what was told."),
		failures: counter("failures_total", "Rounds that failed and are made again: the store or the maps can't be read, or the cells can't be written."),
		reading:  counter("reading_seconds_total", "How long it took to compare cells."),
	}
	reg.MustRegister(m.cells, m.rounds, m.failures, m.reading)
	return m
}
