package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"runtime"

	"kilim/daemon/experiments/command"
	"kilim/learner/theme"
)

// options are the command line.
type options struct {
	feed, python, peer string
	kilim              string // empty: no daemon is asked
	declare            string // a theme; empty: the daemon is asked for lists
	fit, seed, queries int
	gate               bool
	cfg                theme.Config
}

func main() { command.Main("themes", parse, ask) }

// ask asks the model, or a running daemon.
func ask(ctx context.Context, o *options, w io.Writer) error {
	if o.declare != "" {
		return runDeclare(ctx, o, w)
	}
	if o.kilim != "" {
		return runDaemon(ctx, o, w)
	}
	return run(ctx, o, w)
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{cfg: theme.DefaultConfig()}
	f := flag.NewFlagSet("themes", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.feed, "feed", "../shared/data/tate-12k.jsonl.gz", "`FILE` of works with theme labels, JSON Lines")
	f.StringVar(&o.python, "python", ".cache/themes/bin/python", "`FILE`: a Python with numpy, scipy and scikit-learn")
	f.StringVar(&o.peer, "peer", "../shared/peers/themes/ridge.py", "`FILE` of the peer")
	f.StringVar(&o.kilim, "kilim", "", "`FILE`: ask a daemon of this binary, and the model beside, instead of the peer")
	f.StringVar(&o.declare, "declare", "", "`THEME` of the feed that is declared to the daemon while records come, and nothing else is asked")
	f.IntVar(&o.fit, "fit", 8000, "works that are fitted; the others are ranked")
	f.IntVar(&o.seed, "seed", 3, "of the split")
	f.IntVar(&o.queries, "queries", 500, "works that ask in a theme, at most")
	f.BoolVar(&o.gate, "gate", false, "tell of the gate, and of totals by it, instead of heads, subspaces and leakage")
	f.IntVar(&o.cfg.Landmarks, "landmarks", o.cfg.Landmarks, "works that precondition the solution")
	f.IntVar(&o.cfg.Threads, "threads", runtime.NumCPU(), "that fit")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.declare != "" && o.kilim == "":
		return nil, fmt.Errorf("-declare %q: needs -kilim", o.declare)
	case o.fit < 1 || o.queries < 1 || o.seed < 0:
		return nil, fmt.Errorf("-fit %d, -queries %d, -seed %d: must be at least 1, 1 and 0", o.fit, o.queries, o.seed)
	}
	return o, nil
}
