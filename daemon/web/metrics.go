package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Registry is where metrics are registered and gathered from.
type Registry interface {
	prometheus.Registerer
	prometheus.Gatherer
}

type metrics struct {
	registry Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newMetrics(reg Registry) (*metrics, error) {
	m := &metrics{
		registry: reg,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kilim_http_requests_total",
			Help: "HTTP requests answered, by handler and status code.",
		}, []string{"handler", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "kilim_http_request_duration_seconds",
			Help:    "Time to answer an HTTP request.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10},
		}, []string{"handler"}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.duration} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("web metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) observe(handler string, code int, took time.Duration) {
	m.requests.WithLabelValues(handler, strconv.Itoa(code)).Inc()
	if handler == handleLive {
		return // it lasts as long as somebody looks
	}
	m.duration.WithLabelValues(handler).Observe(took.Seconds())
}

// handler serves the registry. A metric that can't be gathered is logged, and the others
// are served: one broken collector must not leave all dashboards empty.
func (m *metrics) handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            promLog{log},
		ErrorHandling:       promhttp.ContinueOnError,
		EnableOpenMetrics:   true,
		MaxRequestsInFlight: 16,
	})
}

type promLog struct{ log *slog.Logger }

func (l promLog) Println(v ...any) { l.log.Error("gathering metrics", "error", fmt.Sprint(v...)) }
