package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"kilim/daemon/experiments/comparison"
	"kilim/daemon/experiments/stats"
)

// report is all that was measured.
type report struct {
	options   *options
	machine   string
	start     float64 // largest difference from the peer's embeddings at the start
	tolerance float64
	rounds    []streamRound
	hubs      []hubRow
	exact     []exactRow
}

// describeMachine says where the figures are from.
func describeMachine(ctx context.Context) string {
	processor, load, revision := "unknown processor", "unknown", "unknown"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				processor = strings.TrimSpace(value)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = strings.Join(strings.Fields(string(b))[:3], " ")
	}
	if b, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output(); err == nil {
		revision = strings.TrimSpace(string(b))
	}
	return fmt.Sprintf("%s, %d cores, load %s before; %s, kilim %s", processor, runtime.NumCPU(), load, runtime.Version(), revision)
}

const peerName = "numpy, cached states"

// rows are the comparisons, medians over the rounds.
func (r *report) rows() (rows []comparison.Row) {
	if len(r.rounds) == 0 {
		return nil
	}
	for _, size := range r.options.sizes {
		row := func(what, unit string, ours, peer func(streamRound) float64, better func(ours, peer float64) float64) {
			o, p := stats.MedianOf(r.rounds, ours), stats.MedianOf(r.rounds, peer)
			rows = append(rows, comparison.Row{
				Bench: "refresh", Case: fmt.Sprintf("%s, %d edges a batch", what, size), Unit: unit, Ours: o, Peer: p, PeerName: peerName, Ratio: better(o, p),
			})
		}
		more := func(o, p float64) float64 { return o / p }
		less := func(o, p float64) float64 { return p / o }
		row("insertions", "1/s", func(s streamRound) float64 { return s.ours[size].insert.perSecond() }, func(s streamRound) float64 { return s.peer[size].PerSecond }, more)
		row("CPU of an insertion", "µs", func(s streamRound) float64 { return s.ours[size].insert.cpuMicros() }, func(s streamRound) float64 { return s.peer[size].CPU }, less)
		row("p50 of a batch", "ms", func(s streamRound) float64 { return s.ours[size].insert.quantile(0.5) }, func(s streamRound) float64 { return s.peer[size].P50 }, less)
		row("p99 of a batch", "ms", func(s streamRound) float64 { return s.ours[size].insert.quantile(0.99) }, func(s streamRound) float64 { return s.peer[size].P99 }, less)
	}
	return rows
}

func (r *report) print(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", r.machine)
	if len(r.rounds) > 0 {
		r.printStream(&b)
	}
	if len(r.hubs) > 0 {
		r.printHubs(&b)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (r *report) printStream(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n%d threads each, %v s a size, medians of %d rounds; a ratio of more than 1 means that kilim is better.\n\n", threads(), r.options.seconds, len(r.rounds))
	fmt.Fprint(b, "| | unit | kilim | numpy | ratio |\n|---|---|---|---|---|\n")
	for _, row := range r.rows() {
		fmt.Fprintf(b, "| %s | %s | %.4g | %.4g | %.2f |\n", row.Case, row.Unit, row.Ours, row.Peer, row.Ratio)
	}
	fmt.Fprint(b, "\nWhat the peer does not do, kilim's figures of the same rounds:\n\n| batch | removals/s | CPU µs | changes of features/s | CPU µs | embedded an insertion | numpy: rows of both layers |\n|---|---|---|---|---|---|---|\n")
	for _, size := range r.options.sizes {
		of := func(figure func(*streamTimes) float64) float64 {
			return stats.MedianOf(r.rounds, func(s streamRound) float64 { return figure(s.ours[size]) })
		}
		fmt.Fprintf(b, "| %d | %.4g | %.4g | %.4g | %.4g | %.2f | %.2f |\n", size,
			of(func(t *streamTimes) float64 { return t.remove.perSecond() }), of(func(t *streamTimes) float64 { return t.remove.cpuMicros() }),
			of(func(t *streamTimes) float64 { return t.feature.perSecond() }), of(func(t *streamTimes) float64 { return t.feature.cpuMicros() }),
			of(func(t *streamTimes) float64 { return float64(t.insert.embedded) / float64(t.insert.updates) }),
			stats.MedianOf(r.rounds, func(s streamRound) float64 { return s.peer[size].Embedded / float64(size) }))
	}
	worst, ofPeer := 0.0, math.NaN()
	for _, round := range r.rounds {
		for _, t := range round.ours {
			worst = max(worst, t.worst)
			if !math.IsNaN(t.worstOfPeer) {
				ofPeer = max(t.worstOfPeer, ofPeer)
				if math.IsNaN(ofPeer) {
					ofPeer = t.worstOfPeer
				}
			}
		}
	}
	fmt.Fprintf(b, "\nLargest difference of any number of any embedding from the full recomputation: %.1e; from the peer's embeddings at the start %.1e", worst, r.start)
	if !math.IsNaN(ofPeer) {
		fmt.Fprintf(b, ", with all edges %.1e", ofPeer)
	}
	fmt.Fprintf(b, ". Allowed: %v. After removals and after features were put back: the bits of the start.\n\nEach round, insertions/s (CPU µs), kilim and numpy:\n\n", r.tolerance)
	for i, round := range r.rounds {
		fmt.Fprintf(b, "- round %d:", i+1)
		for _, size := range r.options.sizes {
			o, p := round.ours[size].insert, round.peer[size]
			fmt.Fprintf(b, " %d a batch %.0f (%.0f) and %.0f (%.0f);", size, o.perSecond(), o.cpuMicros(), p.PerSecond, p.CPU)
		}
		fmt.Fprintln(b)
	}
}

func (r *report) printHubs(b *bytes.Buffer) {
	fmt.Fprintf(b, "\nAn entity grows, epsilon %v. Own is an insertion's own unit; all is that and the background that it sets off, amortized.\n\n", r.options.epsilon)
	fmt.Fprint(b, "| members | from | to | own p50 µs | own p99 µs | all µs | all, CPU µs | embedded an insertion | pushed vector off (RMS) | embeddings off, mean | most |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, h := range r.hubs {
		n := float64(h.to - h.from)
		fmt.Fprintf(b, "| %s | %d | %d | %.0f | %.0f | %.0f | %.0f | %.1f | %.4f | %.4f | %.4f |\n", h.kind, h.from, h.to, stats.Quantile(h.own, 0.5), stats.Quantile(h.own, 0.99),
			h.wall.Seconds()*1e6/n, h.cpu.Seconds()*1e6/n, float64(h.embedded)/n, h.pushed, h.mean, h.most)
	}
	fmt.Fprint(b, "\nExact mode, an insertion with all that it sets off:\n\n| members | ms | embedded |\n|---|---|---|\n")
	for _, e := range r.exact {
		fmt.Fprintf(b, "| %d | %.1f | %.0f |\n", e.members, e.ms, e.embedded)
	}
}

func (r *report) writeFile(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("-out: %w", err)
	}
	return errors.Join(comparison.Write(f, r.rows()), f.Close())
}

const resultsHead = "# Measured: the refresh engine beside recomputation in Python, as an entity grows, and by epsilon\n\n" +
	"Made by `make bench-refresh`, entries of the first two with `BENCH='-results FILE'`; what is measured and how is in doc.go. Compare only figures of one entry: the machine's own speed changes.\n"

// appendResults appends an entry to a results file, which is begun when absent.
func (r *report) appendResults(path string, now time.Time) error {
	if path == "" {
		return nil
	}
	if err := comparison.Append(path, resultsHead, now, r.print); err != nil {
		return fmt.Errorf("-results: %w", err)
	}
	return nil
}
