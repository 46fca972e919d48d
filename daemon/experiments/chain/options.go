package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"time"
)

// options are the command line. Paths are relative to the repository's root.
type options struct {
	feed, kilim, peer, venv, kafka, cache string
	out, results                          string
	only                                  string
	rounds, latencyRounds                 int
	count, measured                       int
	rate                                  float64
	pause, timeout                        time.Duration
	quick, keep                           bool
}

// Figures of -quick: enough to see that everything works, too few to quote.
const (
	quickCount    = 2000
	quickMeasured = 300
)

const (
	onlyThroughput = "throughput"
	onlyLatency    = "latency"
)

func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.feed, "feed", "../shared/data/walters.jsonl.gz", "`FILE` of artifacts, gzipped JSON Lines")
	f.StringVar(&o.kilim, "kilim", "bin/kilim", "the daemon's binary")
	f.StringVar(&o.peer, "peer", "../shared/peers/pipeline", "`FOLDER` of the peer pipeline")
	f.StringVar(&o.venv, "venv", ".cache/peers", "`FOLDER` of the peer's Python environment, made when absent")
	f.StringVar(&o.kafka, "kafka", ".ci/kafka", "`FOLDER` of the scripts that start and stop Kafka")
	f.StringVar(&o.cache, "cache", ".cache", "`FOLDER` in which the run makes its own, on the disk to be measured")
	f.StringVar(&o.out, "out", "", "write JSON Lines to `FILE`")
	f.StringVar(&o.results, "results", "", "append a dated entry to `FILE`")
	f.StringVar(&o.only, "only", "", "throughput or latency; both when empty")
	f.IntVar(&o.rounds, "rounds", 3, "throughput runs of each contender")
	f.IntVar(&o.latencyRounds, "latency-rounds", 1, "latency runs of each contender")
	f.IntVar(&o.count, "count", 0, "artifacts used of the feed, 0 for all")
	f.IntVar(&o.measured, "measured", 1000, "artifacts whose latency is measured, the last of those used")
	f.Float64Var(&o.rate, "rate", 50, "artifacts a second while latency is measured")
	f.DurationVar(&o.pause, "pause", 3*time.Second, "rest between the archive being loaded and the first measured artifact; the peer's is 3s")
	f.DurationVar(&o.timeout, "timeout", 20*time.Minute, "longest that one run of one contender may take")
	f.BoolVar(&o.quick, "quick", false, fmt.Sprintf("one round with %d artifacts, %d of them for latency: a trial, not a measurement", quickCount, quickMeasured))
	f.BoolVar(&o.keep, "keep", false, "keep the run's folder: logs, Kafka's data, states")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("argument %q: there are only flags", f.Arg(0))
	}
	if o.quick {
		o.count, o.measured, o.rounds, o.latencyRounds = quickCount, quickMeasured, 1, 1
	}
	return o, o.validate()
}

func (o *options) validate() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(o.rounds < 1, "-rounds %d: want at least 1", o.rounds)
	fault(o.latencyRounds < 1, "-latency-rounds %d: want at least 1", o.latencyRounds)
	fault(o.count < 0, "-count %d: want 0 or more", o.count)
	fault(o.measured < 1, "-measured %d: want at least 1", o.measured)
	fault(o.count > 0 && o.measured >= o.count, "-measured %d: want less than -count %d", o.measured, o.count)
	fault(!(o.rate > 0) || math.IsInf(o.rate, 0), "-rate %v: want more than 0", o.rate)
	fault(o.pause < 0, "-pause %v: want 0 or more", o.pause)
	fault(o.timeout <= 0, "-timeout %v: want more than 0", o.timeout)
	fault(o.only != "" && o.only != onlyThroughput && o.only != onlyLatency,
		"-only %q: want %s or %s", o.only, onlyThroughput, onlyLatency)
	return errors.Join(faults...)
}

func (o *options) wants(what string) bool { return o.only == "" || o.only == what }
