package projection

import "github.com/prometheus/client_golang/prometheus"

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("kilim_map_"+name, help, labels, nil)
}

var (
	pointsDesc   = desc("points", "Artifacts on the map of the archive.")
	waitingDesc  = desc("waiting", "Artifacts that wait for a place on the map: until somebody looks at it, or no batch comes for a second and nothing is left to refresh.")
	placedDesc   = desc("placed_total", "Newcomers that were given a place on the map between its layouts.")
	layoutsDesc  = desc("layouts_total", "Layouts of the map, by result: made or failed.", "result")
	workDesc     = desc("layout_seconds", "How long the last layout of the map was worked at, without its rests; 0 before the first.")
	madeDesc     = desc("layout_timestamp_seconds", "When the map was last laid out, in Unix time; 0 before the first layout.")
	trustDesc    = desc("trustworthiness_ratio", "How far neighbours on the map are neighbours in the archive, 1 for a map without a fault; 0 without one.")
	continueDesc = desc("continuity_ratio", "How far neighbours in the archive are neighbours on the map, 1 for a map without a fault; 0 without one.")
)

// Collector exports where the map stands at scrape time.
func (k *Keeper) Collector() prometheus.Collector { return collector{k} }

type collector struct{ keeper *Keeper }

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{pointsDesc, waitingDesc, placedDesc, layoutsDesc, workDesc, madeDesc, trustDesc, continueDesc} {
		ch <- d
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	s := c.keeper.Status()
	c.keeper.progress.Lock()
	worked := c.keeper.progress.made.Worked
	c.keeper.progress.Unlock()
	trust, at := Trust{}, 0.0
	if s.Trust != nil {
		trust = *s.Trust
	}
	if s.Made != nil {
		at = float64(s.Made.UnixMilli()) / 1000
	}
	send(pointsDesc, prometheus.GaugeValue, float64(s.Points))
	send(waitingDesc, prometheus.GaugeValue, float64(max(0, min(s.Artifacts, s.MostPoints)-s.Points)))
	send(placedDesc, prometheus.CounterValue, float64(c.keeper.counts.placed.Load()))
	send(layoutsDesc, prometheus.CounterValue, float64(c.keeper.counts.made.Load()), "made")
	send(layoutsDesc, prometheus.CounterValue, float64(c.keeper.counts.failed.Load()), "failed")
	send(workDesc, prometheus.GaugeValue, worked.Seconds())
	send(madeDesc, prometheus.GaugeValue, at)
	send(trustDesc, prometheus.GaugeValue, trust.Trustworthiness)
	send(continueDesc, prometheus.GaugeValue, trust.Continuity)
}
