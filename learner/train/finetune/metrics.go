package finetune

import (
	"github.com/prometheus/client_golang/prometheus"

	"kilim/learner/train"
	"kilim/learner/train/gate"
)

// Metrics are the Prometheus metrics of training.
type Metrics struct {
	steps                                       prometheus.Counter
	runs                                        *prometheus.CounterVec
	changed, drift                              prometheus.Gauge
	progress, loss, temperature, gradient, rate prometheus.Gauge
	queueAge, halves, effectiveRank, uniformity prometheus.Gauge
	stage                                       *prometheus.GaugeVec
}

// promoted, rejected and failed are the results of a training.
const (
	promoted = "promoted"
	rejected = "rejected"
	failed   = "failed"
)

var stages = []string{train.Heads, train.Unfreeze, train.Full}

// NewMetrics registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "kilim_training_" + name, Help: help})
		reg.MustRegister(g)
		return g
	}
	m := &Metrics{
		steps: prometheus.NewCounter(prometheus.CounterOpts{Name: "kilim_training_steps_total", Help: "Steps of training."}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kilim_training_runs_total", Help: "Trainings that have ended, by result: promoted, rejected or failed.",
		}, []string{"result"}),
		changed:       gauge("changed_archives", "How much the archive has changed since the last training, in archives."),
		drift:         gauge("drift_ratio", "How far the mix of cultures and types has shifted since the last training."),
		progress:      gauge("progress_ratio", "How far the training under way has come; 0 when none is."),
		loss:          gauge("loss", "InfoNCE loss of the last step, in nats."),
		temperature:   gauge("temperature", "Temperature of the loss."),
		gradient:      gauge("gradient_norm", "Length of the last step's gradient, before clipping."),
		rate:          gauge("learning_rate", "Learning rate of the last step."),
		queueAge:      gauge("queue_age_steps", "Steps since the oldest key in the queue was made; 0 while seeded ones are there."),
		halves:        gauge("half_record_mrr_ratio", "Mean reciprocal rank at which half a held-out artifact finds its other half, when last judged."),
		effectiveRank: gauge("embedding_rank", "Effective rank of the embeddings when last judged: a model that collapses falls towards 1."),
		uniformity:    gauge("embedding_uniformity", "Uniformity of the embeddings when last judged: a model that collapses rises towards 0."),
		stage: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "kilim_training_stage", Help: "1 for the stage under way: heads, unfreeze or full; all are 0 when nothing is trained.",
		}, []string{"stage"}),
	}
	for _, r := range []string{promoted, rejected, failed} {
		m.runs.WithLabelValues(r)
	}
	reg.MustRegister(m.steps, m.runs, m.stage)
	m.setIdle()
	return m
}

func (m *Metrics) setStep(p train.Progress) {
	m.steps.Inc()
	m.progress.Set(float64(p.Step) / float64(p.Steps))
	m.loss.Set(p.Loss)
	m.temperature.Set(p.Temperature)
	m.gradient.Set(p.GradientNorm)
	m.rate.Set(p.Rate)
	m.queueAge.Set(float64(p.QueueAge))
	m.halves.Set(p.Validation.MRR)
	m.setCollapse(p.Validation.Collapse)
	for _, s := range stages {
		v := 0.0
		if s == p.Stage {
			v = 1
		}
		m.stage.WithLabelValues(s).Set(v)
	}
}

func (m *Metrics) setChanges(changed, drift float64) {
	m.changed.Set(changed)
	m.drift.Set(drift)
}

func (m *Metrics) setCollapse(c train.Collapse) {
	m.effectiveRank.Set(c.Rank)
	m.uniformity.Set(c.Uniformity)
}

func (m *Metrics) setCompared(t *gate.Table) { m.setCollapse(t.Collapse) }

// setIdle sets the metrics of a training under way to those between trainings.
func (m *Metrics) setIdle() {
	m.progress.Set(0)
	for _, s := range stages {
		m.stage.WithLabelValues(s).Set(0)
	}
}

func (m *Metrics) countEnded(result string) { m.runs.WithLabelValues(result).Inc() }
