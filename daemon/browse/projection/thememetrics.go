package projection

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// None of these names a theme: anybody may declare one, under any name.
var (
	themesDesc = prometheus.NewDesc("kilim_theme_maps", "Maps of themes that somebody looks at, by phase: idle, reading, laying out or placing all.", []string{"phase"}, nil)
	stepsDesc  = prometheus.NewDesc("kilim_theme_map_progress_ratio",
		"How much is done of the step that the maps of themes are at, of the least advanced one; 1 while none is worked at.", nil, nil)
	ageDesc          = prometheus.NewDesc("kilim_theme_map_age_seconds", "For how long the oldest of the maps of themes has been as it was laid out; 0 without one.", nil, nil)
	themeLayoutsDesc = prometheus.NewDesc("kilim_theme_map_layouts_total", "Layouts of maps of themes, by result: made or failed.", []string{"result"}, nil)
)

// Collector exports where the maps of themes stand at scrape time. To look at that is no look at the maps, and makes nothing.
func (t *Themes) Collector() prometheus.Collector { return themesCollector{t} }

type themesCollector struct{ themes *Themes }

func (c themesCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{themesDesc, stepsDesc, ageDesc, themeLayoutsDesc} {
		ch <- d
	}
}

func (c themesCollector) Collect(ch chan<- prometheus.Metric) {
	t := c.themes
	t.lock.Lock()
	defer t.lock.Unlock()
	phases := map[string]int{Idle: 0, Reading: 0, LayingOut: 0, PlacingAll: 0}
	done, age, laid, failed := 1.0, time.Duration(0), t.dropped.made, t.dropped.failed
	for _, m := range t.open {
		phase, ratio, at := m.standing()
		phases[phase]++
		if phase != Idle {
			done = min(done, ratio)
		}
		if !at.IsZero() {
			age = max(age, time.Since(at))
		}
		laid, failed = laid+m.counts.made.Load(), failed+m.counts.failed.Load()
	}
	for phase, n := range phases {
		ch <- prometheus.MustNewConstMetric(themesDesc, prometheus.GaugeValue, float64(n), phase)
	}
	ch <- prometheus.MustNewConstMetric(stepsDesc, prometheus.GaugeValue, done)
	ch <- prometheus.MustNewConstMetric(ageDesc, prometheus.GaugeValue, age.Seconds())
	ch <- prometheus.MustNewConstMetric(themeLayoutsDesc, prometheus.CounterValue, float64(laid), "made")
	ch <- prometheus.MustNewConstMetric(themeLayoutsDesc, prometheus.CounterValue, float64(failed), "failed")
}

// standing is what is done at a map, how much of that is done, and when it was laid out, the zero time if it never was. Unlike Status it asks for no vectors.
func (k *Keeper) standing() (phase string, ratio float64, made time.Time) {
	k.progress.Lock()
	defer k.progress.Unlock()
	return k.progress.phase, k.progress.ratio, k.progress.made.At
}
