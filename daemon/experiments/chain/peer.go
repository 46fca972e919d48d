package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"kilim/daemon/experiments/daemonproc"
)

// variant is a way to run the peer.
type variant struct {
	name string
	args []string
}

// The peer's nearest to what kilim does, and its fastest: that one leaves the embeddings of
// what is there already as they were.
func throughputVariants() []variant {
	return []variant{
		{"python, exact refresh, 256 a batch, drift 0.01", []string{"--refresh", "exact", "--max-batch", "256", "--drift", "0.01"}},
		{"python, no refresh, 256 a batch", []string{"--refresh", "none", "--max-batch", "256"}},
	}
}

func latencyVariants() []variant {
	return []variant{
		{"python, exact refresh, drift 0.01", []string{"--refresh", "exact", "--drift", "0.01", "--max-batch", "1024", "--overlap", "0"}},
		{"python, no refresh", []string{"--refresh", "none", "--max-batch", "1024", "--overlap", "0"}},
	}
}

// peerRun is what the peer says of one run of its own, with what it used.
type peerRun struct {
	Artifacts   int                `json:"artifacts"`
	Batches     int                `json:"batches"`
	Seconds     float64            `json:"seconds"`
	PerSecond   float64            `json:"per_s"`
	Refreshed   int                `json:"refreshed"`
	IndexWrites int                `json:"index_writes"`
	Recall      float64            `json:"recall"`
	Stages      map[string]float64 `json:"us_per_artifact"`
	P50         float64            `json:"p50_ms,omitempty"`
	P99         float64            `json:"p99_ms,omitempty"`
	Max         float64            `json:"max_ms,omitempty"`
	LateHalfP50 float64            `json:"late_half_p50_ms,omitempty"`
	daemonproc.Usage
}

// ensureVenv makes the peer's Python environment. pip is asked each time: it
// is quick when the pinned versions are there, and sees what an interrupted installation left.
func ensureVenv(ctx context.Context, venv, peer, log string) error {
	python := filepath.Join(venv, "bin", "python")
	if _, err := os.Stat(python); errors.Is(err, os.ErrNotExist) {
		if _, err := daemonproc.Run(ctx, daemonproc.Command{Path: "python3", Args: []string{"-m", "venv", venv}, Log: log}); err != nil {
			return fmt.Errorf("make %s: %w", venv, err)
		}
	}
	args := []string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", filepath.Join(peer, "requirements.txt")}
	if _, err := daemonproc.Run(ctx, daemonproc.Command{Path: python, Args: args, Log: log}); err != nil {
		return fmt.Errorf("install the peer's requirements into %s: %w", venv, err)
	}
	return nil
}

// runPeer runs bench.py, which starts the peer's daemon and checks that every update is out
// and every offset committed.
func (e *experiment) runPeer(ctx context.Context, what string, v variant, args ...string) (*peerRun, error) {
	ctx, cancel := context.WithTimeout(ctx, e.opt.timeout)
	defer cancel()
	dir, err := e.folder("peer-" + what)
	if err != nil {
		return nil, err
	}
	all := []string{filepath.Join(e.opt.peer, "bench.py"), what, e.opt.feed, "--brokers", e.kafka.addr, "--count", strconv.Itoa(len(e.feed)), "--work", dir}
	all = append(append(all, args...), v.args...)
	// The peer's folder may be read-only, or someone else's.
	out, err := daemonproc.Run(ctx, daemonproc.Command{
		Path: filepath.Join(e.opt.venv, "bin", "python"), Args: all,
		Env: []string{"PYTHONDONTWRITEBYTECODE=1"}, Log: filepath.Join(dir, "log"),
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", v.name, err)
	}
	r := new(peerRun)
	if err := json.Unmarshal(bytes.TrimSpace(out.Stdout), r); err != nil {
		return nil, fmt.Errorf("%s: answer %q: %w", v.name, out.Stdout, err)
	}
	if r.Artifacts != len(e.feed) {
		return nil, fmt.Errorf("%s: %d artifacts, sent %d", v.name, r.Artifacts, len(e.feed))
	}
	r.Usage = out.Usage
	return r, nil
}

func (e *experiment) peerThroughput(ctx context.Context, v variant) (*peerRun, error) {
	return e.runPeer(ctx, "throughput", v)
}

func (e *experiment) peerLatency(ctx context.Context, v variant) (*peerRun, error) {
	return e.runPeer(ctx, "latency", v,
		"--rate", strconv.FormatFloat(e.opt.rate, 'g', -1, 64), "--prefill", strconv.Itoa(len(e.feed)-e.opt.measured))
}
