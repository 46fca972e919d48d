package ranking

import "github.com/prometheus/client_golang/prometheus"

// Metrics are what a Keeper counts.
type Metrics struct {
	fits    map[string]prometheus.Counter // by result; those that are not here fitted nothing
	ordered prometheus.Counter
}

// NewMetrics registers the metrics of a Keeper's fits.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	fits := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kilim_ranker_fits_total",
		Help: "How often an order of lists was learned from judgments, by result: served (it orders them), refused (it is not better than the stated order) or failed.",
	}, []string{"result"})
	ordered := prometheus.NewCounter(prometheus.CounterOpts{Name: "kilim_ranker_lists_ordered_total", Help: "Lists that were put into a learned order to be published, or to find that nothing was to be told."})
	reg.MustRegister(fits, ordered)
	m := &Metrics{fits: map[string]prometheus.Counter{}, ordered: ordered}
	for _, result := range []string{served, refused, failed} {
		m.fits[result] = fits.WithLabelValues(result)
	}
	return m
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("kilim_ranker_"+name, help, labels, nil)
}

var (
	servingDesc = desc("serving", "1 while lists are in an order learned from judgments, 0 while they are in the stated one.")
	groupsDesc  = desc("judged_groups", "Groups of artifacts that were judged alike when an order was last decided on; rank.least says how many it takes.")
	ndcgDesc    = desc("ndcg", "nDCG@10 of judged artifacts that the last fitted order was not learned from, by order: stated or learned; 0 while none was fitted.", "order")
)

// Collector exports the Keeper's Status at scrape time.
func (k *Keeper) Collector() prometheus.Collector { return collector{k} }

type collector struct{ keeper *Keeper }

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{servingDesc, groupsDesc, ndcgDesc} {
		ch <- d
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	serving := 0.0
	if c.keeper.Serves(c.keeper.archive.State()) {
		serving = 1
	}
	gauge(servingDesc, serving)
	var last Decision
	if d := c.keeper.decided.Load(); d != nil {
		last = d.Decision
	}
	gate := last.Gate
	if gate == nil {
		gate = &Gate{}
	}
	gauge(groupsDesc, float64(last.Groups))
	gauge(ndcgDesc, gate.Stated, "stated")
	gauge(ndcgDesc, gate.Learned, "learned")
}
