package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type options struct {
	peer, venv, export string
	out, results       string
	only               string
	rounds             int
	seconds            float64
	sizes              []int
	hub, exact         int
	epsilon            float64
}

const (
	onlyStream = "stream"
	onlyHub    = "hub"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parseOptions(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if err := bench(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o, sizes := new(options), ""
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.peer, "peer", "../shared/peers/pipeline", "`FOLDER` of the peer, recompute_arxiv.py")
	f.StringVar(&o.venv, "venv", ".cache/peers", "`FOLDER` of the peer's Python environment, made when absent")
	f.StringVar(&o.export, "export", ".cache/arxiv", "`FOLDER` of the graph that the peer exports, made when absent")
	f.StringVar(&o.out, "out", "", "write JSON Lines to `FILE`")
	f.StringVar(&o.results, "results", "", "append a dated entry to `FILE`")
	f.StringVar(&o.only, "only", "", "stream or hub; both when empty")
	f.IntVar(&o.rounds, "rounds", 3, "rounds of the stream, each the peer's turn and ours")
	f.Float64Var(&o.seconds, "seconds", 8, "longest that a size of batch is measured")
	f.StringVar(&sizes, "sizes", "1,10,100,1000", "edges a batch, of those that the peer has")
	f.IntVar(&o.hub, "hub", 1_000_000, "members to which the entity grows, from 1,000; a million takes 6 GB")
	f.IntVar(&o.exact, "exact", 100_000, "members up to which the exact mode is shown")
	f.Float64Var(&o.epsilon, "epsilon", 0.05, "refresh.epsilon of the entity")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	for _, text := range strings.Split(sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-sizes %q: want numbers from 1 with commas between", sizes)
		}
		o.sizes = append(o.sizes, n)
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("argument %q: there are only flags", f.Arg(0))
	case o.only != "" && o.only != onlyStream && o.only != onlyHub:
		return nil, fmt.Errorf("-only %q: want %s or %s", o.only, onlyStream, onlyHub)
	case o.rounds < 1:
		return nil, fmt.Errorf("-rounds %d: want at least 1", o.rounds)
	case !(o.seconds > 0):
		return nil, fmt.Errorf("-seconds %v: want more than 0", o.seconds)
	case o.hub < firstHub || o.exact < firstHub:
		return nil, fmt.Errorf("-hub %d, -exact %d: want at least %d", o.hub, o.exact, firstHub)
	}
	return o, nil
}

// bench measures, and writes the report to stdout and to the files asked for.
func bench(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	r := &report{options: o, machine: describeMachine(ctx)}
	if o.only != onlyHub {
		if err := r.measureStream(ctx, stderr); err != nil {
			return err
		}
	}
	if o.only != onlyStream {
		if err := r.measureHubs(ctx, stderr); err != nil {
			return err
		}
	}
	if err := r.print(stdout); err != nil {
		return err
	}
	return errors.Join(r.writeFile(o.out), r.appendResults(o.results, time.Now()))
}
