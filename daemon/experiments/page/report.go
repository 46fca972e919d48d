package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/machine"
	"kilim/daemon/experiments/stats"
)

// The bounds that are asked for.
const (
	mostDOMMillis     = 250
	mostFreshRatio    = 1.2
	mostRequestMillis = 200
	mostPaintMillis   = 1500
	mostBytesAPoint   = 5
)

// report is what a run has shown. What is in JSON are its raw figures.
type report struct {
	options *options
	machine machine.Machine

	Fed           int       `json:"fed"` // in this run; 0: the state was there
	FillSeconds   float64   `json:"fill_seconds"`
	SettleSeconds float64   `json:"settle_seconds"`
	OwnMB         float64   `json:"own_memory_mb"`
	Map           mapStatus `json:"map"`
	Left          leftover  `json:"left"` // when it was asked
	Requests      []*asked  `json:"requests"`
	Views         []viewed  `json:"views"`
	Paints        []painted `json:"paints"`
	Turns         []turn    `json:"turns"`

	lost, above []error // what viewers have not seen, and bounds that are not held
}

// faults are all that makes the run fail. It is set by print.
func (r *report) faults() error { return errors.Join(append(slices.Clone(r.lost), r.above...)...) }

func (r *report) bound(what string, got, most float64, unit string) {
	if got > most {
		r.above = append(r.above, fmt.Errorf("%s is %.4g%s, want at most %.4g%s", what, got, unit, most, unit))
	}
}

// print writes tables, and judges what it prints.
func (r *report) print(w io.Writer) error {
	o := r.options
	r.above = nil
	fmt.Fprintf(w, "%d artifacts of the demo archive, without pictures and recordings\n%s\n\n", o.records, &r.machine)
	if r.Fed > 0 {
		fmt.Fprintf(w, "%d fed and durable within %.0f s (%.0f/s), ", r.Fed, r.FillSeconds, float64(r.Fed)/r.FillSeconds)
	}
	fmt.Fprintf(w, "%.0f s until it was asked; %d points on the map, %d of them laid out, which is %q; the daemon's own memory %.0f MiB\n", r.SettleSeconds, r.Map.Points, r.Map.Laid, r.Map.Phase, r.OwnMB)
	fmt.Fprintf(w, "then %d pieces of refresh work and %d messages were left; themes: %s, %d artifacts wait\n", r.Left.Refresh, r.Left.Outbox, r.Left.Themes.Phase, r.Left.Themes.Waiting)
	if r.Map.Points < o.records {
		r.above = append(r.above, fmt.Errorf("only %d artifacts are on the map", r.Map.Points))
	}
	for _, part := range []func(io.Writer) error{r.printRequests, r.printPaints, r.printTurns} {
		if err := part(w); err != nil {
			return err
		}
	}
	if err := r.faults(); err != nil {
		fmt.Fprintf(w, "\nNot held:\n%v\n", err)
	}
	return nil
}

func (r *report) printRequests(w io.Writer) error {
	if len(r.Requests) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nRequests of %d who ask at the same time, seed %d, milliseconds:\n\n", r.options.askers, r.options.seed)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "request\tanswers\tp50\tp99\tlongest\tbytes at most")
	for _, a := range r.Requests {
		a.N = len(a.Millis)
		a.P50, a.P99 = quantiles(a.Millis)
		a.Longest = stats.Quantile(a.Millis, 1)
		fmt.Fprintf(t, "%s\t%d\t%.1f\t%.1f\t%.1f\t%d\n", a.Request, a.N, a.P50, a.P99, a.Longest, a.Bytes)
		r.bound("the p99 of "+a.Request, a.P99, mostRequestMillis, " ms")
	}
	fmt.Fprintln(t, "\nview\tviews\tdaemon's processor time of one")
	for _, v := range r.Views {
		fmt.Fprintf(t, "%s\t%d\t%.1f ms\n", v.View, v.Views, v.CPUMs)
	}
	return t.Flush()
}

func (r *report) printPaints(w io.Writer) error {
	if len(r.Paints) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nThe map of %d points in Chromium, opened by somebody who was never there; milliseconds:\n\n", r.Map.Points)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "drawn by\tfirst paint\tbytes a point\tframes: median\tp95\tlongest of 120")
	for _, p := range r.Paints {
		fmt.Fprintf(t, "%s\t%.0f\t%.2f\t%.0f\t%.0f\t%.0f\n", p.Drawn, p.PaintMs, p.BytesAPoint, p.FrameMedian, p.FrameP95, p.FrameLongest)
	}
	r.bound("the median first paint", stats.MedianOf(r.Paints, func(p painted) float64 { return p.PaintMs }), mostPaintMillis, " ms")
	r.bound("what a point takes", stats.MedianOf(r.Paints, func(p painted) float64 { return p.BytesAPoint }), mostBytesAPoint, " bytes")
	return t.Flush()
}

func (r *report) printTurns(w io.Writer) error {
	if len(r.Turns) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nTurns of %d artifacts at %v a second with %d viewers, %d of them tabs where there are tabs; milliseconds:\n\n", r.options.measure, r.options.rate, r.options.viewers, r.options.tabs)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "round\twith\tfreshness p50\tp99\tcommit to stream p50\tp99\tcommit to DOM p50\tp99\tevents\tmissed\tdaemon's CPU s")
	fresh := map[string][]float64{}
	var inDOM []float64
	for _, n := range r.Turns {
		fmt.Fprintf(t, "%d\t%s\t%.1f\t%.1f\t%s\t%s\t%s\t%s\t%d\t%d\t%.1f\n", n.Round, n.With, n.FreshP50, n.FreshP99, shown(n.StreamP50), shown(n.StreamP99), shown(n.DOMP50), shown(n.DOMP99), n.Told, n.Missed, n.CPUSec)
		fresh[n.With] = append(fresh[n.With], n.FreshP99)
		if n.DOMP99 > 0 {
			inDOM = append(inDOM, n.DOMP99)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprint(w, "\nThe slowest batches of each turn, from the record's time to Kafka's answer (before it could be applied + waiting for the turn + applied, of which the longest stage, + delivered):\n\n")
	for _, n := range r.Turns {
		fmt.Fprintf(w, "%d with %s: %s\n", n.Round, n.With, daemonproc.Told(n.Slowest[:min(len(n.Slowest), shownBatches)]))
	}
	none := stats.Median(fresh[alone])
	ratio := stats.Median(fresh[streams]) / none
	fmt.Fprintf(w, "\nThe p99 of freshness with viewers is %.2f times that without, %.2f times with %d of them in a browser on the same processors (medians of %d rounds)\n",
		ratio, stats.Median(fresh[withTab])/none, r.options.tabs, r.options.rounds)
	r.bound("the p99 of freshness with viewers", ratio, mostFreshRatio, " times that without")
	if len(inDOM) > 0 {
		r.bound("the median p99 from commit to DOM", stats.Median(inDOM), mostDOMMillis, " ms")
	}
	return nil
}

// shownBatches is how many of the slowest batches of a turn are told.
const shownBatches = 4

// shown is a figure that some turns do not have.
func shown(millis float64) string {
	if millis == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", millis)
}

// frameTimes are the median, the 95th percentile and the longest.
func frameTimes(frames []float64) (median, p95, longest float64) {
	return stats.Median(frames), stats.Quantile(frames, 0.95), stats.Quantile(frames, 1)
}

const resultsHead = "# Measured: who looks at a large archive\n\n" +
	"Made by `make bench-page`; what is measured and how is in doc.go. Compare only figures of one entry: the machine's own speed changes.\n"

// entry writes the report as that of a results file, with its raw figures.
func (r *report) entry(w io.Writer) error {
	fmt.Fprint(w, "```\n")
	if err := r.print(w); err != nil {
		return err
	}
	fmt.Fprint(w, "```\n\nRaw:\n\n```\n")
	if err := json.NewEncoder(w).Encode(r); err != nil {
		return err
	}
	_, err := fmt.Fprint(w, "```\n")
	return err
}
