package remote

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Observer hears what happens between an Encoder and its server. It must not block.
type Observer interface {
	// Request is told of each request that was sent, repeated ones too.
	Request(outcome string, took time.Duration)
	// Breaker is told of each change, and of Closed at the start.
	Breaker(state string)
}

// States of the breaker.
const (
	Closed   = "closed"    // the server is asked
	HalfOpen = "half_open" // one request tries whether it is back
	Open     = "open"      // it is left alone
)

type silent struct{}

func (silent) Request(string, time.Duration) {}
func (silent) Breaker(string)                {}

// Metrics are those of all encoders that are servers.
type Metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	breaker  *prometheus.GaugeVec
}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kilim_encoder_requests_total",
			Help: "Requests to encoder servers, by outcome.",
		}, []string{"modality", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "kilim_encoder_request_seconds",
			Help:                            "Time of a request to an encoder server, whatever its outcome.",
			Buckets:                         prometheus.ExponentialBuckets(0.005, 2, 14),
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"modality"}),
		breaker: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "kilim_encoder_breaker_state",
			Help: "1 for the state that an encoder server's circuit breaker is in: closed, half_open or open.",
		}, []string{"modality", "state"}),
	}
	reg.MustRegister(m.requests, m.seconds, m.breaker)
	return m
}

// For is the observer of the encoder of one modality.
func (m *Metrics) For(modality string) Observer {
	for _, o := range outcomes() {
		m.requests.WithLabelValues(modality, o)
	}
	return observer{m, modality}
}

type observer struct {
	*Metrics
	modality string
}

func (o observer) Request(outcome string, took time.Duration) {
	o.requests.WithLabelValues(o.modality, outcome).Inc()
	o.seconds.WithLabelValues(o.modality).Observe(took.Seconds())
}

func (o observer) Breaker(state string) {
	for _, s := range []string{Closed, HalfOpen, Open} {
		v := 0.0
		if s == state {
			v = 1
		}
		o.breaker.WithLabelValues(o.modality, s).Set(v)
	}
}
