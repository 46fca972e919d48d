package standby

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Values of the label result: what becomes of a build.
const (
	resultServes    = "serves"
	resultAbandoned = "abandoned"
	resultFailed    = "failed"
)

// Values of the label reason: why all lists are published again.
const (
	reasonRestored = "restored"
	reasonTopic    = "topic"
	reasonTaken    = "taken"
)

type metrics struct {
	builds         *prometheus.CounterVec
	duration       prometheus.Histogram
	cutovers       prometheus.Histogram
	republications *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		builds: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kilim_generation_builds_total",
			Help: "Generations whose making has ended, by result: serves, abandoned or failed. One that a stop interrupted has not ended.",
		}, []string{"result"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "kilim_generation_build_duration_seconds",
			Help:    "Time that the making of a generation took, since the daemon's start if that was later.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 10),
		}),
		cutovers: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "kilim_generation_takeover_duration_seconds",
			Help:    "Time for which ingest waited while another generation took over.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 9),
		}),
		republications: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kilim_republications_total",
			Help: "How often all lists were to be published again since the start, by reason: restored (the folder was put back, and is older than the topic), topic (the topic of lists was made anew, or has lost records) or taken (this daemon took over from another one).",
		}, []string{"reason"}),
	}
	for _, r := range []string{reasonRestored, reasonTopic, reasonTaken} {
		m.republications.WithLabelValues(r)
	}
	for _, r := range []string{resultServes, resultAbandoned, resultFailed} {
		m.builds.WithLabelValues(r)
	}
	return m
}

func (m *metrics) observeBuild(result string, took time.Duration) {
	m.builds.WithLabelValues(result).Inc()
	m.duration.Observe(took.Seconds())
}

func (m *metrics) observeCutOver(took time.Duration) { m.cutovers.Observe(took.Seconds()) }

// Collector exports the Status, the builds, and the engine that serves at scrape time. The names say generation for what the
// code calls an instance: dashboards and alerts know them.
func (m *Manager) Collector() prometheus.Collector { return collector{m} }

type collector struct{ manager *Manager }

var (
	numberDesc   = prometheus.NewDesc("kilim_generation_number", "Number of the generation that serves.", nil, nil)
	phaseDesc    = prometheus.NewDesc("kilim_generation_phase", "1 for what goes on beside serving: waiting, filling, completing, failed, republishing; all are 0 when nothing does.", []string{"phase"}, nil)
	progressDesc = prometheus.NewDesc("kilim_generation_build_progress_ratio", "How far the making of the next generation has come; 0 when none is made.", nil, nil)
	nextDesc     = prometheus.NewDesc("kilim_generation_build_epoch", "Epoch of the model for which a generation is made; 0 when none is.", nil, nil)
)

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{numberDesc, phaseDesc, progressDesc, nextDesc} {
		ch <- d
	}
	c.manager.metrics.builds.Describe(ch)
	c.manager.metrics.duration.Describe(ch)
	c.manager.metrics.cutovers.Describe(ch)
	c.manager.metrics.republications.Describe(ch)
	c.manager.Engine().Collector().Describe(ch)
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s := c.manager.Status()
	phases := map[string]float64{PhaseWaiting: 0, PhaseFilling: 0, PhaseCompleting: 0, PhaseFailed: 0, PhaseRepublishing: 0}
	if s.Republishing {
		phases[PhaseRepublishing] = 1
	}
	ratio, epoch := 0.0, 0.0
	if s.Next != nil {
		phases[s.Next.Phase], ratio, epoch = 1, s.Next.Ratio, float64(s.Next.Epoch)
	}
	gauge(numberDesc, float64(s.Serving.Number))
	for phase, on := range phases {
		gauge(phaseDesc, on, phase)
	}
	gauge(progressDesc, ratio)
	gauge(nextDesc, epoch)
	c.manager.metrics.builds.Collect(ch)
	c.manager.metrics.duration.Collect(ch)
	c.manager.metrics.cutovers.Collect(ch)
	c.manager.metrics.republications.Collect(ch)
	c.manager.Engine().Collector().Collect(ch)
}
