package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

type options struct {
	peers, cache, feed string
	out, results       string
	runs, steps        int
	ours               int // threads of a timing of our own
	products           int
	gemm               bool
}

func main() {
	var o options
	flag.StringVar(&o.peers, "peers", "../shared/peers/training", "`folder` with the peers' programs")
	flag.StringVar(&o.cache, "cache", ".cache/train-peers", "`folder` for the peers' environment")
	flag.StringVar(&o.feed, "feed", "../shared/data/walters.jsonl.gz", "the museum's records")
	flag.StringVar(&o.out, "out", "", "`file` for the results as JSON Lines")
	flag.StringVar(&o.results, "results", "", "append a dated entry to `FILE`")
	flag.IntVar(&o.runs, "runs", 3, "runs of each program")
	flag.IntVar(&o.steps, "steps", 20, "timed steps of a run")
	flag.BoolVar(&o.gemm, "gemm", true, "time matrix products too")
	flag.IntVar(&o.ours, "ours", 0, "only time our step, with so many `threads`, and print it as JSON")
	flag.IntVar(&o.products, "products", 0, "only time our products, with so many `threads`, and print them as JSON")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// timing is what a run of either program prints; times are milliseconds for a step.
type timing struct {
	Median     float64 `json:"ms"`
	P90        float64 `json:"ms_p90"`
	Rows       int     `json:"rows"`
	Parameters int     `json:"parameters"`
}

// row is a line of the results.
type row struct {
	Bench   string  `json:"bench"`
	Case    string  `json:"case"`
	Threads int     `json:"threads"`
	Unit    string  `json:"unit"`
	Ours    float64 `json:"ours"`
	Peer    float64 `json:"peer"`
	Name    string  `json:"peer_name"`
	Ratio   float64 `json:"ratio"`
	// EachOurs and EachPeer are the runs of both, in the order of the runs, where there are several.
	EachOurs []float64 `json:"each_ours,omitempty"`
	EachPeer []float64 `json:"each_peer,omitempty"`
}

func (o *options) run() error {
	var result any
	var err error
	switch {
	case o.ours > 0:
		result, err = timeStep(o.feed, o.ours, o.steps)
	case o.products > 0:
		result, err = timeProducts(o.products)
	default:
		return o.compare()
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

func (o *options) compare() error {
	if err := o.prepare(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	m := describeMachine()
	var rows []row
	for _, threads := range []int{1, 2} {
		r, err := o.stepRow(self, threads)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	if o.gemm {
		for _, threads := range []int{1, 2} {
			more, err := o.productRows(self, threads)
			if err != nil {
				return err
			}
			rows = append(rows, more...)
		}
	}
	if err := print(os.Stdout, m, rows); err != nil {
		return err
	}
	if err := write(o.out, rows); err != nil {
		return err
	}
	return appendResults(o.results, m, rows)
}

// stepRow times the steps of both programs in turn.
func (o *options) stepRow(self string, threads int) (row, error) {
	var ours, peer, ratios []float64
	for i := range o.runs {
		fmt.Fprintf(os.Stderr, "step, %d threads: run %d of %d\n", threads, i+1, o.runs)
		var p, u timing
		if err := o.peer(&p, "train_step.py", "--graph", "shared", "--feed", o.feed, "--threads", fmt.Sprint(threads), "--steps", fmt.Sprint(o.steps)); err != nil {
			return row{}, err
		}
		if err := output(&u, command(self, "-ours", fmt.Sprint(threads), "-feed", o.feed, "-steps", fmt.Sprint(o.steps))); err != nil {
			return row{}, err
		}
		if p.Parameters != u.Parameters {
			return row{}, fmt.Errorf("the peer's model has %d parameters, ours %d: not the same", p.Parameters, u.Parameters)
		}
		fmt.Fprintf(os.Stderr, "  PyTorch %.1f ms (%d rows), ours %.1f ms (%d rows)\n", p.Median, p.Rows, u.Median, u.Rows)
		ours, peer, ratios = append(ours, u.Median), append(peer, p.Median), append(ratios, u.Median/p.Median)
	}
	return row{
		Bench: "train", Case: "MoCo step, shared blocks", Threads: threads, Unit: "ms",
		Ours: median(ours), Peer: median(peer), Name: "PyTorch", Ratio: median(ratios), EachOurs: ours, EachPeer: peer,
	}, nil
}

func median(x []float64) float64 {
	x = slices.Clone(x)
	slices.Sort(x)
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

// command returns a program that writes its progress to our standard error.
func command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Stderr = os.Stderr
	return c
}

// output runs a program that prints JSON.
func output(to any, c *exec.Cmd) error {
	raw, err := c.Output()
	if err != nil {
		return fmt.Errorf("%v: %w", c.Args, err)
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return fmt.Errorf("%v printed %q: %w", c.Args, raw, err)
	}
	return nil
}

func (o *options) python() string { return filepath.Join(o.cache, "venv", "bin", "python") }

func (o *options) peer(to any, program string, args ...string) error {
	c := command(o.python(), append([]string{filepath.Join(o.peers, program)}, args...)...)
	c.Env = append(os.Environ(), "TORCH_CPP_LOG_LEVEL=FATAL")
	return output(to, c)
}

// prepare makes the peers' Python environment if it isn't there.
func (o *options) prepare() error {
	if exec.Command(o.python(), "-c", "import torch, numpy, orjson, scipy").Run() == nil {
		return nil
	}
	fmt.Fprintln(os.Stderr, "making the peers' environment in", o.cache)
	if err := os.MkdirAll(o.cache, 0o755); err != nil {
		return err
	}
	for _, c := range []*exec.Cmd{
		command("python3.11", "-m", "venv", filepath.Join(o.cache, "venv")),
		command(o.python(), "-m", "pip", "install", "-q", "-r", filepath.Join(o.peers, "requirements.txt")),
	} {
		if err := c.Run(); err != nil {
			return fmt.Errorf("%v: %w", c.Args, err)
		}
	}
	return nil
}
