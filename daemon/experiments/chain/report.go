package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"kilim/daemon/experiments/comparison"
	"kilim/daemon/experiments/machine"
	"kilim/daemon/experiments/stats"
)

type sense int

const (
	moreIsBetter sense = iota
	lessIsBetter
)

// compare makes a row; ok is false when there is no ratio to be had.
func compare(name string, ours, peer float64, peerName, unit string, better sense) (r comparison.Row, ok bool) {
	if !(ours > 0 && peer > 0) {
		return comparison.Row{}, false
	}
	ratio := ours / peer
	if better == lessIsBetter {
		ratio = peer / ours
	}
	return comparison.Row{Bench: "chain", Case: name, Ours: ours, Peer: peer, PeerName: peerName, Unit: unit, Ratio: ratio}, true
}

// pair is stages of both that do the like. They divide the work differently,
// and "the like" is not the same.
type pair struct {
	name        string
	ours, peers []string
}

func stagePairs() []pair {
	return []pair{
		{"decode", []string{"decode"}, []string{"parse"}},
		{"text features and graph", []string{"weave", "graph"}, []string{"features", "graph"}},
		{"embed", []string{"refresh"}, []string{"embed"}},
		{"index write", []string{"index"}, []string{"index write"}},
		{"search and rerank", []string{"rerank"}, []string{"index search", "rerank"}},
		{"durable write", []string{"commit"}, []string{"store"}},
		{"publish", []string{"publish"}, []string{"publish"}},
	}
}

func addUp(stages map[string]float64, names []string) (sum float64) {
	for _, n := range names {
		sum += stages[n]
	}
	return sum
}

// medianStages are the medians of each stage over runs.
func medianStages[T any](runs []T, stages func(T) map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for _, r := range runs {
		for name := range stages(r) {
			out[name] = stats.MedianOf(runs, func(r T) float64 { return stages(r)[name] })
		}
	}
	return out
}

func peerStages(r *peerRun) map[string]float64 { return r.Stages }

// report is a whole run of this program.
type report struct {
	machine             machine.Machine
	kafka               string // the version of Apache Kafka
	options             *options
	artifacts           int
	throughput, latency *contest // nil: not held
}

// rows are all comparisons, for scripts.
func (r *report) rows() []comparison.Row {
	var out []comparison.Row
	add := func(c *contest, name, unit string, better sense, ours func(*ourRun) float64, peer func(*peerRun) float64) {
		for i, v := range c.variants {
			if row, ok := compare(name, stats.MedianOf(c.ours, ours), stats.MedianOf(c.peers[i], peer), v.name, unit, better); ok {
				out = append(out, row)
			}
		}
	}
	if c := r.throughput; c != nil {
		add(c, "throughput", "artifacts/s", moreIsBetter,
			func(o *ourRun) float64 { return o.PerSecond }, func(p *peerRun) float64 { return p.PerSecond })
		add(c, "throughput: peak memory", "MB", lessIsBetter,
			func(o *ourRun) float64 { return o.PeakMB }, func(p *peerRun) float64 { return p.PeakMB })
		for _, s := range stagePairs() {
			add(c, "stage: "+s.name, "µs/artifact", lessIsBetter,
				func(o *ourRun) float64 { return addUp(o.Stages, s.ours) }, func(p *peerRun) float64 { return addUp(p.Stages, s.peers) })
		}
	}
	if c := r.latency; c != nil {
		at := fmt.Sprintf("latency at %g/s: ", r.options.rate)
		add(c, at+"p50", "ms", lessIsBetter, func(o *ourRun) float64 { return o.P50 }, func(p *peerRun) float64 { return p.P50 })
		add(c, at+"p99", "ms", lessIsBetter, func(o *ourRun) float64 { return o.P99 }, func(p *peerRun) float64 { return p.P99 })
		add(c, at+"max", "ms", lessIsBetter, func(o *ourRun) float64 { return o.latency.Max }, func(p *peerRun) float64 { return p.Max })
	}
	return out
}

// print writes the report for people.
func (r *report) print(out io.Writer) error {
	w := new(bytes.Buffer)
	fmt.Fprintf(w, "kilim's chain beside the peer pipeline: %d artifacts of %s\n%s, Apache Kafka %s\n", r.artifacts, r.options.feed, &r.machine, r.kafka)
	if r.options.quick {
		fmt.Fprintln(w, "A trial (-quick): not figures to quote.")
	}
	rows, width := r.rows(), 0
	name := func(row comparison.Row) string { return row.Case + ", " + row.Unit }
	for _, row := range rows {
		width = max(width, utf8.RuneCountInString(name(row)))
	}
	fmt.Fprintf(w, "\n%-*s %9s %9s %8s\n", width, "", "kilim", "peer", "ratio")
	for _, row := range rows {
		fmt.Fprintf(w, "%-*s %9s %9s %8s  %s\n", width, name(row), figure(row.Ours), figure(row.Peer), figure(row.Ratio), row.PeerName)
	}
	fmt.Fprint(w, "\nMedians. A ratio of more than 1 means that kilim is better. The times of stages that run beside each other add up to more than the whole.\n")
	for _, line := range r.remarks() {
		fmt.Fprintf(w, "- %s\n", line)
	}
	_, err := w.WriteTo(out)
	return err
}

// figure writes three digits that mean something, and all before the point.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// dominant lists the largest stages with their shares of what all stages take.
func dominant(stages map[string]float64, n int) string {
	names := slices.SortedFunc(maps.Keys(stages), func(a, b string) int {
		return cmp.Or(cmp.Compare(stages[b], stages[a]), cmp.Compare(a, b))
	})
	sum := addUp(stages, names)
	var out []string
	for _, name := range names[:min(n, len(names))] {
		if stages[name] > 0 {
			out = append(out, fmt.Sprintf("%s %.0f µs (%.0f %%)", name, stages[name], 100*stages[name]/sum))
		}
	}
	return strings.Join(out, ", ")
}
