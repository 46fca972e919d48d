package themes

import "github.com/prometheus/client_golang/prometheus"

// Metrics are what a Keeper counts. None has a label for a theme: an archive may have any number.
type Metrics struct {
	rounds   *prometheus.CounterVec
	failures prometheus.Counter
}

// NewMetrics registers the metrics of a Keeper's work.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{failures: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kilim_theme_list_failures_total",
		Help: "Attempts to renew profiles and lists of themes that failed and are made again: a topic of a theme can't be made (kilim theme says of which), or the store can't be read or written.",
	}), rounds: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kilim_theme_rounds_total",
		Help: "How often the archive was looked through for what it says of themes, by result: fitted (another model serves), unchanged, nothing (no theme has labels enough) or failed.",
	}, []string{"result"})}
	for _, result := range []string{fitted, unchanged, nothing, failed} {
		m.rounds.WithLabelValues(result)
	}
	reg.MustRegister(m.rounds, m.failures)
	return m
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("kilim_theme"+name, help, labels, nil)
}

var (
	themesDesc   = desc("s", "Themes by state: served, waiting (to be learned) or few (too few labels).", "state")
	termsDesc    = desc("_terms", "Terms that the model of themes predicts.")
	worksDesc    = desc("_works", "Artifacts with labels that the model of themes was fitted to.")
	ageDesc      = desc("_model_age_seconds", "Age of the model of themes; 0 without one.")
	profilesDesc = desc("_profiles", "Artifacts whose profiles are kept, which the lists of themes can have.")
	bytesDesc    = desc("_profile_bytes", "Memory of the profiles that are kept.")
	waitingDesc  = desc("_profiles_waiting", "Artifacts that have changed and whose profiles are not renewed yet.")
	listsDesc    = desc("_lists", "Lists of themes that are stored and published.")
	dueDesc      = desc("_lists_due", "Artifacts whose lists of themes are to be made anew: after another model, another start, or the loss of what was published.")
	progressDesc = desc("_round_progress_ratio", "How much of its phase the round at work has done, by phase: reading, fitting or profiling; all are 0 when none is.", "phase")
)

// Collector exports the Keeper's Status at scrape time.
func (k *Keeper) Collector() prometheus.Collector { return collector{k} }

type collector struct{ keeper *Keeper }

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{themesDesc, termsDesc, worksDesc, ageDesc, profilesDesc, bytesDesc, waitingDesc, listsDesc, dueDesc, progressDesc} {
		ch <- d
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s := c.keeper.Status()
	states := map[string]int{Served: 0, Few: 0, Waiting: 0}
	for _, t := range s.Themes {
		states[t.State]++
	}
	for state, n := range states {
		gauge(themesDesc, float64(n), state)
	}
	works := 0
	if s.Made != nil {
		works = s.Made.Works
	}
	gauge(termsDesc, float64(s.Terms))
	gauge(worksDesc, float64(works))
	gauge(ageDesc, s.age().Seconds())
	gauge(profilesDesc, float64(s.Profiles))
	gauge(bytesDesc, float64(s.Bytes))
	gauge(waitingDesc, float64(s.Waiting))
	gauge(listsDesc, float64(s.Lists))
	gauge(dueDesc, float64(s.Due))
	for _, phase := range []string{Reading, Fitting, Profiling} {
		ratio := 0.0
		if phase == s.Phase {
			ratio = s.Ratio
		}
		gauge(progressDesc, ratio, phase)
	}
}
