package follow

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics tell the role.
type Metrics struct {
	owner     prometheus.Gauge
	behind    prometheus.Gauge
	takeovers prometheus.Counter
	took      prometheus.Gauge
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		owner: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kilim_owner", Help: "1 while this daemon publishes, 0 while it follows another one or takes over (publish.follow).",
		}),
		behind: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kilim_follow_behind_records", Help: "Records that the owner has applied and this daemon has not, when it looked last (publish.follow).",
		}),
		takeovers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kilim_takeovers_total", Help: "How often this daemon has begun to publish in the place of another one, or of itself before its start (publish.follow).",
		}),
		took: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kilim_takeover_seconds", Help: "How long the last take-over took, from when the owner was found to be gone until this daemon published (publish.follow).",
		}),
	}
	reg.MustRegister(m.owner, m.behind, m.takeovers, m.took)
	return m
}

func (m *Metrics) role(role string) {
	m.owner.Set(0)
	if role == Owning {
		m.owner.Set(1)
		m.behind.Set(0)
	}
}

func (m *Metrics) tookOver(took time.Duration) {
	m.takeovers.Inc()
	m.took.Set(took.Seconds())
}
