// Command compare measures the graph of package hnsw beside hnswlib, faiss and usearch. It makes the peers' environment
// and data if they are not there, runs the peers' program and command bench in turn on each data set, several times,
// and prints medians and ratios. `make bench-ann` runs it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

type options struct {
	peers, cache, ours, out, results, lock string
	walters                                string
	runs                                   int
	resume                                 bool
	sets, moves, names                     []string
}

func main() {
	if err := compare(); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func parse() options {
	var o options
	var sets, moves, names string
	flag.StringVar(&o.peers, "peers", "../shared/peers/ann", "`folder` with the peers' program")
	flag.StringVar(&o.walters, "walters", "../shared/data/walters.jsonl.gz", "the museum records")
	flag.StringVar(&o.cache, "cache", ".cache/ann-peers", "`folder` for the environment, the data and the records")
	flag.StringVar(&o.ours, "ours", "", "our `program`; built if empty")
	flag.StringVar(&o.out, "out", "", "`file` for the results as JSON Lines")
	flag.StringVar(&o.results, "results", "", "Markdown `file` to add the table to")
	flag.StringVar(&o.lock, "lock", "", "`file` to flock while measuring (flock is run)")
	flag.IntVar(&o.runs, "runs", 3, "runs of each program")
	flag.BoolVar(&o.resume, "resume", false, "go on with an interrupted comparison of the same commit: take the records that are in the cache")
	flag.StringVar(&sets, "sets", "clustered-20k-128,walters-svd-128,clustered-100k-128", "data sets")
	flag.StringVar(&moves, "moves", "clustered-20k-128,walters-svd-128", "data sets on which turnover, drift and deletion are measured too")
	flag.StringVar(&names, "names", "hnswlib,faiss,usearch", "peers")
	flag.Parse()
	o.sets, o.moves, o.names = list(sets), list(moves), list(names)
	return o
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

func compare() error {
	o := parse()
	if err := o.prepare(); err != nil {
		return err
	}
	var all []row
	for _, set := range o.sets {
		rows, err := o.measure(set)
		if err != nil {
			return fmt.Errorf("%s: %w", set, err)
		}
		all = append(all, rows...)
		if err := writeLines(o.out, all); err != nil { // after each set, since the next takes an hour
			return err
		}
	}
	table := o.table(all)
	fmt.Print(table)
	if o.results == "" {
		return nil
	}
	f, err := os.OpenFile(o.results, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "\n## %s\n\n%s", time.Now().Format(time.DateOnly), table)
	return errors.Join(err, f.Close())
}

// command returns a program that writes its progress to our standard error.
func command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Stderr = os.Stderr
	return c
}

func (o *options) python() string { return filepath.Join(o.cache, "venv", "bin", "python") }

// prepare makes what is missing of the peers' environment, the data and our program.
func (o *options) prepare() error {
	if err := os.MkdirAll(o.cache, 0o755); err != nil {
		return err
	}
	if err := command(o.python(), "-c", "import hnswlib, faiss, usearch, sklearn").Run(); err != nil {
		fmt.Fprintln(os.Stderr, "making the peers' environment in", o.cache)
		for _, c := range []*exec.Cmd{
			command("python3.11", "-m", "venv", filepath.Join(o.cache, "venv")),
			command(o.python(), "-m", "pip", "install", "-q", "-r", filepath.Join(o.peers, "requirements.txt")),
		} {
			if err := c.Run(); err != nil {
				return fmt.Errorf("%v: %w", c.Args, err)
			}
		}
	}
	for _, set := range o.sets {
		if _, err := os.Stat(filepath.Join(o.data(set), "header.json")); err == nil {
			continue
		}
		c := command(o.python(), filepath.Join(o.peers, "make_data.py"), filepath.Join(o.cache, "data"), "--walters", o.walters, "--only", set)
		c.Stdout = os.Stderr
		if err := c.Run(); err != nil {
			return fmt.Errorf("%v: %w", c.Args, err)
		}
	}
	if o.ours == "" {
		o.ours = filepath.Join(o.cache, "ours")
		if err := command("go", "build", "-buildvcs=false", "-o", o.ours, "./annindex/bench").Run(); err != nil {
			return fmt.Errorf("build our program: %w", err)
		}
	}
	return nil
}

func (o *options) data(set string) string { return filepath.Join(o.cache, "data", set) }

// locked returns a command that holds the lock while it runs, if options.lock names one.
func (o *options) locked(name string, args ...string) *exec.Cmd {
	if o.lock == "" {
		return command(name, args...)
	}
	return command("flock", append([]string{"-x", o.lock, name}, args...)...)
}
