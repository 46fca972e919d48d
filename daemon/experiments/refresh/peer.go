package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// peerProgram is peer.py, which runs the peer's script.
//
//go:embed peer.py
var peerProgram []byte

// peerRow is what the peer's script says of a size of batch.
type peerRow struct {
	Batch     int     `json:"batch"`
	PerSecond float64 `json:"per_s"`
	CPU       float64 `json:"cpu_us"` // of all threads, an update
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Embedded  float64 `json:"embedded"`
}

func (o *options) python(ctx context.Context, stdin []byte, log io.Writer, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(o.venv, "bin", "python"), args...)
	// The peer's folder may be read-only, or someone else's.
	c.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "TORCH_CPP_LOG_LEVEL=FATAL")
	c.Stdin, c.Stderr = bytes.NewReader(stdin), log
	return c
}

// prepare makes the peer's Python environment and has it export the graph, where they are not there.
func (o *options) prepare(ctx context.Context, say io.Writer) error {
	if o.python(ctx, nil, io.Discard, "-c", "import torch, torch_geometric, numpy").Run() != nil {
		fmt.Fprintln(say, "making the peer's environment in", o.venv)
		for _, c := range []*exec.Cmd{
			exec.CommandContext(ctx, "python3", "-m", "venv", o.venv),
			o.python(ctx, nil, say, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", filepath.Join(o.peer, "requirements.txt")),
		} {
			if c.Stderr = say; c.Run() != nil {
				return fmt.Errorf("make the peer's environment in %s: %v failed", o.venv, c.Args)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(o.export, "header.json")); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fmt.Fprintln(say, "the peer exports its graph to", o.export)
	if err := o.python(ctx, nil, say, filepath.Join(o.peer, "recompute_arxiv.py"), "export", "--dir", o.export).Run(); err != nil {
		return fmt.Errorf("export of the peer's graph to %s: %w", o.export, err)
	}
	return nil
}

// runPeer has the peer insert the stream in batches of its sizes.
func (o *options) runPeer(ctx context.Context, say io.Writer) (map[int]peerRow, error) {
	raw, err := o.python(ctx, peerProgram, say, "-", filepath.Join(o.peer, "recompute_arxiv.py"),
		"stream", "--threads", strconv.Itoa(threads()), "--seconds", fmt.Sprint(o.seconds)).Output()
	if err != nil {
		return nil, fmt.Errorf("the peer: %w", err)
	}
	rows := map[int]peerRow{}
	for line := range bytes.Lines(raw) {
		var row peerRow
		if err := json.Unmarshal(line, &row); err != nil {
			return nil, fmt.Errorf("the peer printed %q: %w", line, err)
		}
		rows[row.Batch] = row
	}
	for _, size := range o.sizes {
		if rows[size].PerSecond == 0 {
			return nil, fmt.Errorf("the peer has no row of %d edges a batch", size)
		}
	}
	return rows, nil
}
