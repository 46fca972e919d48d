package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"kilim/daemon/experiments/command"
	"kilim/daemon/experiments/comparison"
	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/machine"
)

// options are the command line.
type options struct {
	kilim, dir, results    string
	records                int
	rate                   float64
	rounds, measure        int
	viewers, tabs          int
	askers, blocks, paints int
	seed                   uint64
	settle                 time.Duration
}

func main() { command.Main("page", parse, run) }

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("page", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.kilim, "kilim", "bin/kilim", "the daemon's binary")
	f.StringVar(&o.dir, "dir", ".cache/page", "`FOLDER` of the states, which are kept")
	f.StringVar(&o.results, "results", "daemon/experiments/page/RESULTS.md", "`FILE` that the results are added to; empty: none")
	f.IntVar(&o.records, "records", 200_000, "size of the archive")
	f.Float64Var(&o.rate, "rate", 50, "artifacts a second in a turn")
	f.IntVar(&o.rounds, "rounds", 3, "rounds of three turns")
	f.IntVar(&o.measure, "measure", 1000, "artifacts of a turn")
	f.IntVar(&o.viewers, "viewers", 20, "who look on at the same time")
	f.IntVar(&o.tabs, "tabs", 4, "those of them that are tabs of a browser")
	f.IntVar(&o.askers, "askers", 2, "who ask at the same time")
	f.IntVar(&o.blocks, "blocks", 12, "blocks of each view, of 25 views each")
	f.IntVar(&o.paints, "paints", 5, "times that the map is opened")
	f.Uint64Var(&o.seed, "seed", 1, "chooses the artifacts that are asked for")
	f.DurationVar(&o.settle, "settle", 6*time.Minute, "longest wait for what a feed has left to do; as long again for all artifacts to be on the map")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.records < 100 || o.measure < 1 || o.askers < 1 || !(o.rate > 0):
		return nil, errors.New("want -records of 100 or more, and -measure, -askers and -rate above 0")
	case o.tabs > o.viewers || o.tabs < 0 || min(o.rounds, o.blocks, o.paints) < 0:
		return nil, errors.New("want no more -tabs than -viewers, and no number below 0")
	case 3*o.rounds*o.measure > reserve:
		return nil, fmt.Errorf("-rounds %d of three turns of -measure %d: at most %d artifacts are kept for turns", o.rounds, o.measure, reserve)
	}
	return o, nil
}

// run prints what it finds. A bound that is not held fails it in the end.
func run(ctx context.Context, o *options, out io.Writer) error {
	r := &report{options: o, machine: machine.Describe(ctx)}
	a, err := openArchive(ctx, o)
	if err != nil {
		return err
	}
	daemon, err := a.instance.Serve("--train.share", "0", "--log.level", "warn")
	if err != nil {
		return err
	}
	alive, release := daemon.Alive(ctx)
	defer release()
	if err := r.measure(alive, a, daemon); err != nil {
		return errors.Join(daemon.Explain(err), daemon.Close())
	}
	if err := daemon.Stop(); err != nil {
		return err
	}
	if err := r.print(out); err != nil {
		return err
	}
	if o.results != "" {
		if err := comparison.Append(o.results, resultsHead, time.Now(), r.entry); err != nil {
			return fmt.Errorf("-results: %w", err)
		}
	}
	return r.faults()
}

// measure begins with requests: turns leave work behind.
func (r *report) measure(ctx context.Context, a *archive, daemon *daemonproc.Process) error {
	if err := r.filled(ctx, a, daemon); err != nil {
		return err
	}
	if err := r.ask(ctx, a); err != nil {
		return err
	}
	if err := r.paint(ctx, a); err != nil {
		return err
	}
	return r.turns(ctx, a)
}

// filled makes the archive what it is measured as.
func (r *report) filled(ctx context.Context, a *archive, daemon *daemonproc.Process) (err error) {
	start := time.Now()
	if r.Fed, err = a.fill(ctx); err != nil {
		return err
	}
	r.FillSeconds = time.Since(start).Seconds()
	if r.Map, r.Left, err = a.settle(ctx, r.options.settle); err != nil {
		return err
	}
	r.SettleSeconds = time.Since(start).Seconds() - r.FillSeconds
	m, err := daemon.Memory()
	r.OwnMB = m.Own
	return err
}

// folder is that of an archive of this size.
func (o *options) folder() string { return filepath.Join(o.dir, strconv.Itoa(o.records)) }
