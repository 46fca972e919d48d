package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"time"

	"kilim/daemon/experiments/command"
	"kilim/daemon/experiments/comparison"
	"kilim/daemon/experiments/machine"
)

// options are the command line.
type options struct {
	kilim, lab          string
	demo, walters, tate string
	rows, results       string
	only                *regexp.Regexp
	seeds, steps, test  int
	records             int
	threads             int
	before, came        int
	rate                float64
	loaded              bool
	dir                 string // of what is made for a measurement
}

func main() { command.Main("model", parse, run) }

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("model", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.kilim, "kilim", "bin/kilim", "the daemon's binary")
	f.StringVar(&o.lab, "lab", "bin/kilim-lab", "the lab's binary")
	f.StringVar(&o.demo, "demo", "bin/demo-3000.jsonl", "`FILE` of the demo archive")
	f.StringVar(&o.walters, "walters", "../shared/data/walters.jsonl.gz", "`FILE` of Walters")
	f.StringVar(&o.tate, "tate", "../shared/data/tate-12k.jsonl.gz", "`FILE` of Tate")
	f.StringVar(&o.rows, "rows", "daemon/experiments/model/rows.jsonl", "`FILE` of the rows that are there, to which others are added")
	f.StringVar(&o.results, "results", "", "append a dated entry to `FILE`")
	only := f.String("only", "", "`REGEXP` of DATA/CHOICE that is measured, such as 'demo/(default|3 layers)'; empty: all")
	f.IntVar(&o.seeds, "seeds", 3, "trainings of each")
	f.IntVar(&o.steps, "steps", 0, "steps of a training; 0: the usual number")
	f.IntVar(&o.records, "records", 0, "records of each archive that are trained with, spread over it evenly; 0: all")
	f.IntVar(&o.test, "test", 2000, "artifacts to set aside, at most a third")
	f.IntVar(&o.threads, "threads", runtime.NumCPU(), "threads of a training")
	f.IntVar(&o.before, "before", 1000, "records that are there when newcomers come")
	f.IntVar(&o.came, "newcomers", 500, "newcomers whose cost is measured")
	f.Float64Var(&o.rate, "rate", 20, "of them a second")
	f.BoolVar(&o.loaded, "loaded", false, "the machine has other work: measure what is learned, and no cost")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return nil, fmt.Errorf("-only: %w", err)
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.seeds < 1 || o.steps < 0 || o.records < 0 || o.test < 1 || o.threads < 1:
		return nil, fmt.Errorf("-seeds %d, -steps %d, -records %d, -test %d, -threads %d: want 1 or more, of steps and records 0 or more", o.seeds, o.steps, o.records, o.test, o.threads)
	case o.before < 1 || o.came < 1 || !(o.rate > 0):
		return nil, fmt.Errorf("-before %d, -newcomers %d, -rate %v: want more than 0", o.before, o.came, o.rate)
	}
	return o, nil
}

const head = `# Models and trainings

Appended by ` + "`make bench-model`" + ` ([model](doc.go)). A choice is the default in all but what it names.
`

func run(ctx context.Context, o *options, w io.Writer) (err error) {
	cells, remarks := grid([]data{{"demo", o.demo}, {"walters", o.walters}, {"tate", o.tate}}, o.only)
	if len(cells) == 0 {
		return fmt.Errorf("-only %s: nothing has such a name: %v", o.only, remarks)
	}
	if err := os.MkdirAll(filepath.Dir(o.rows), 0o755); err != nil {
		return err
	}
	kept, err := readRows(o.rows)
	if err != nil {
		return err
	}
	if o.dir, err = os.MkdirTemp("", "kilim-bench-model"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	on := machine.Describe(ctx)
	if err := o.fill(ctx, w, cells, kept, on.Revision); err != nil {
		return err
	}
	print := func(w io.Writer) error {
		fmt.Fprintf(w, "%s.\n\n", &on)
		return o.print(w, cells, kept, remarks)
	}
	if err := print(w); err != nil || o.results == "" {
		return err
	}
	return comparison.Append(o.results, head, time.Now(), print)
}

// fill measures what no row is kept of, seed by seed: so what a run that is stopped has, it has of all choices.
func (o *options) fill(ctx context.Context, w io.Writer, cells []cell, kept *rows, revision string) error {
	measure := func(what string, k key, values func() (map[string]float64, error)) error {
		if _, ok := kept.of[k]; ok {
			return nil
		}
		v, err := values()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		fmt.Fprintf(w, "%s: %v\n", what, v)
		return kept.add(row{k, revision, o.loaded, v})
	}
	for seed := uint64(1); seed <= uint64(o.seeds); seed++ {
		for _, c := range cells {
			if err := measure(fmt.Sprintf("%s, seed %d", c, seed), o.trainingKey(c, seed), func() (map[string]float64, error) { return o.train(ctx, c, seed) }); err != nil {
				return err
			}
		}
	}
	if o.loaded {
		return nil
	}
	for _, c := range cells {
		if err := measure(c.String()+", newcomers", o.newcomerKey(c), func() (map[string]float64, error) { return o.cost(ctx, c) }); err != nil {
			return err
		}
	}
	return nil
}
