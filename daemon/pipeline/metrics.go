package pipeline

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/pipeline/slowest"
	"kilim/daemon/pipeline/tally"
)

// Metrics are what the pipeline counts. Gauges of the state are read at scrape
// time by Collector.
type Metrics struct {
	consumed     *prometheus.CounterVec
	stages       *prometheus.HistogramVec
	refreshed    prometheus.Counter
	drift        prometheus.Histogram
	commits      prometheus.Counter
	listsChanged prometheus.Counter
	refused      Counter
	// records are beside the metrics what a status tells of them.
	records *tally.Records
	// Slowest are the batches whose newcomers' lists came latest. Who publishes says when they went.
	Slowest slowest.Log
}

// Counter counts refused records by reason; the consumer registers it.
type Counter interface {
	WithLabelValues(...string) prometheus.Counter
}

// NewMetrics registers the pipeline's metrics. refused counts refusals by reason.
func NewMetrics(reg prometheus.Registerer, refused Counter) *Metrics {
	m := &Metrics{
		consumed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kilim_records_consumed_total",
			Help: "Records whose effects were made durable, by what became of them: applied, deleted, superseded (by a later record of the same batch, or by a newer one that was in another partition), or refused.",
		}, []string{"result"}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "kilim_stage_duration_seconds",
			Help:                            "Time that a batch spends in a stage.",
			Buckets:                         prometheus.ExponentialBuckets(0.0001, 2, 18),
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  160,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"stage"}),
		refreshed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kilim_refreshed_total",
			Help: "Embeddings computed, newcomers included.",
		}),
		drift: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "kilim_embedding_drift",
			Help:    "Distance of sampled embeddings to their exact recomputation: no cosine with one is off by more.",
			Buckets: []float64{0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1},
		}),
		commits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kilim_commits_total",
			Help: "Units of work committed, background refresh included.",
		}),
		listsChanged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kilim_lists_changed_total",
			Help: "Similarity lists of artifacts that changed and were put into the outbox.",
		}),
		refused: refused, records: tally.New(),
	}
	reg.MustRegister(m.consumed, m.stages, m.refreshed, m.drift, m.commits, m.listsChanged)
	for _, r := range []string{"applied", "deleted", "superseded", "refused"} {
		m.consumed.WithLabelValues(r)
	}
	for _, stage := range []string{"fetch", "decode", "weave", "graph", "refresh", "index", "rerank", "commit", "publish"} {
		m.stages.WithLabelValues(stage)
	}
	return m
}

// ObserveStage records the duration of a stage that another package runs.
func (m *Metrics) ObserveStage(stage string, d time.Duration) {
	m.stages.WithLabelValues(stage).Observe(d.Seconds())
}

// Collector exports the state of an engine at scrape time.
func (e *Engine) Collector() prometheus.Collector { return &collector{e} }

type collector struct{ e *Engine }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("kilim_"+name, help, labels, nil)
}

var (
	nodesDesc     = desc("nodes", "Nodes of the graph, by type; placeholder: an artifact that is linked to and has not arrived.", "type")
	edgesDesc     = desc("edges", "Edges of the graph, by relation, each counted once.", "relation")
	outboxDesc    = desc("outbox_messages", "Messages committed and not yet acknowledged by Kafka.")
	outboxAgeDesc = desc("outbox_oldest_age_seconds", "Age of the oldest message in the outbox, 0 when it is empty.")
	sizeDesc      = desc("store_size_bytes", "Size of the store on disk, by part: lsm (keys and small values) or vlog (large values).", "part")
	queueDesc     = desc("refresh_queue", "Refresh work left for the background: pushes on their way, stale features, stale lists, and lists that wait to be published.")
	overdueDesc   = desc("refresh_oldest_age_seconds", "Age of the oldest embedding or list that is stale and waits for the background, 0 when none is; lists that only wait to be published are not stale.")
	vectorsDesc   = desc("index_vectors", "Vectors in the index.")
	recallDesc    = desc("index_recall_ratio", "Share of the nearest that the index finds, of those that comparing with every vector does: a running mean over sampled queries. NaN before the first.")
	checksDesc    = desc("index_recall_checks_total", "Queries that were asked again exactly, for kilim_index_recall_ratio, by result: ok or failed.", "result")
	checkingDesc  = desc("index_recall_check_seconds_total", "Time spent on asking queries again.")
	rebuildsDesc  = desc("index_rebuilds_total", "How often the index was built anew because its recall had fallen below index.least-recall, by result: swapped in, or failed.", "result")
	damagedDesc   = desc("damaged_document_reads_total", "How often the stored document of an artifact was read and found damaged, since the start.")
	epochDesc     = desc("model_epoch", "Epoch of the model that serves.")
	driftDesc     = desc("drift_clock", "How often the archive has turned over since it began: an arrival or departure among N artifacts adds 1/N.")
)

func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{nodesDesc, edgesDesc, outboxDesc, outboxAgeDesc, sizeDesc, queueDesc, overdueDesc, vectorsDesc, recallDesc, checksDesc, checkingDesc, rebuildsDesc, damagedDesc, epochDesc, driftDesc} {
		ch <- d
	}
}

func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counts := c.e.store.Counts()
	for t, n := range counts.NodesByType() {
		gauge(nodesDesc, float64(n), t)
	}
	gauge(nodesDesc, float64(counts.Placeholders), "placeholder")
	for r, n := range counts.EdgesByRelation() {
		gauge(edgesDesc, float64(n), r)
	}
	depth, oldest := c.e.store.OutboxDepth()
	gauge(outboxDesc, float64(depth))
	age := 0.0
	if depth > 0 {
		age = time.Since(oldest).Seconds()
	}
	gauge(outboxAgeDesc, age)
	lsm, vlog := c.e.store.Sizes()
	gauge(sizeDesc, float64(lsm), "lsm")
	gauge(sizeDesc, float64(vlog), "vlog")
	gauge(queueDesc, float64(c.e.seen.queue.Load()))
	gauge(overdueDesc, c.e.overdue.Seconds())
	gauge(vectorsDesc, float64(c.e.index.Len()))
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	index := c.e.index.Stats()
	gauge(recallDesc, index.Recall)
	counter(checksDesc, float64(index.Checks), "ok")
	counter(checksDesc, float64(index.FailedChecks), "failed")
	counter(checkingDesc, index.CheckTime.Seconds())
	counter(rebuildsDesc, float64(index.Rebuilds), "swapped")
	counter(rebuildsDesc, float64(index.FailedRebuilds), "failed")
	counter(damagedDesc, float64(c.e.store.DamagedReads()))
	gauge(epochDesc, float64(c.e.cfg.Epoch))
	gauge(driftDesc, math.Float64frombits(c.e.seen.arrivals.Load()))
}
