package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	_ "embed"

	"kilim/annindex/layout"
	"kilim/daemon/experiments/command"
)

//go:embed peer.py
var peer string

// options are the command line.
type options struct {
	vectors, python  string
	dim, near, every int
	alone            bool
}

func main() { command.Main("maps", parse, run) }

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("maps", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.vectors, "vectors", ".cache/maps/walters-svd-128/base.f32", "`FILE` of unit vectors, little-endian float32")
	f.IntVar(&o.dim, "dim", 128, "numbers of a vector")
	f.IntVar(&o.near, "near", 15, "neighbours of a point")
	f.IntVar(&o.every, "every", 1, "measure each every-th point: more for less time")
	f.StringVar(&o.python, "python", ".cache/themes/bin/python", "`FILE`: a Python with numpy and scikit-learn")
	f.BoolVar(&o.alone, "alone", false, "without the peer")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.dim < 2 || o.near < 1 || o.every < 1:
		return nil, fmt.Errorf("-dim %d, -near %d, -every %d: must be at least 2, 1 and 1", o.dim, o.near, o.every)
	}
	return o, nil
}

func run(ctx context.Context, o *options, w io.Writer) error {
	vectors, err := readVectors(o.vectors, o.dim)
	if err != nil {
		return err
	}
	d, err := newDrawing(ctx, vectors, o.near, o.every)
	if err != nil {
		return err
	}
	defer d.pool.Close()
	fmt.Fprintf(w, "%d vectors of %d numbers, %d neighbours, %d threads, %s\n\n", len(vectors), o.dim, o.near, runtime.NumCPU(), runtime.Version())
	fmt.Fprintln(w, "| map | trustworthiness | continuity | processor time |\n|---|---|---|---|")
	ours, spent, err := d.whole()
	if err != nil {
		return err
	}
	if err := d.row(w, "kilim", ours, spent.Seconds()); err != nil {
		return err
	}
	if !o.alone {
		points, seconds, err := o.drawPeer(ctx)
		if err != nil {
			return err
		}
		if err := d.row(w, "scikit-learn's t-SNE", points, seconds); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	return d.renewal(w)
}

// drawPeer has the peer draw the vectors.
func (o *options) drawPeer(ctx context.Context) (points []layout.Point, seconds float64, err error) {
	folder, err := os.MkdirTemp("", "maps")
	if err != nil {
		return nil, 0, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "points.f32")
	cmd := exec.CommandContext(ctx, o.python, "-c", peer, o.vectors, strconv.Itoa(o.dim), file)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, 0, fmt.Errorf("the peer: %s: %w", o.python, err)
	}
	var told struct{ Seconds float64 }
	if err := json.Unmarshal(out, &told); err != nil {
		return nil, 0, fmt.Errorf("the peer's answer %q: %w", out, err)
	}
	rows, err := readVectors(file, 2)
	if err != nil {
		return nil, 0, err
	}
	for _, r := range rows {
		points = append(points, layout.Point{X: r[0], Y: r[1]})
	}
	return points, told.Seconds, nil
}

func readVectors(file string, dim int) ([][]float32, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if len(raw) == 0 || len(raw)%(4*dim) != 0 {
		return nil, fmt.Errorf("%s: %d bytes are not vectors of %d numbers", file, len(raw), dim)
	}
	flat := make([]float32, len(raw)/4)
	for i := range flat {
		flat[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return slices.Collect(slices.Chunk(flat, dim)), nil
}
