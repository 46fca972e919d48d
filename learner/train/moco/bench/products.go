package main

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/blas"

	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/par"
)

// shapes are those of the peers' matmul.py: m, k, n.
var shapes = [][3]int{{1024, 1024, 1024}, {2048, 2048, 2048}, {4096, 4096, 4096}, {15616, 512, 128}, {2816, 512, 128}, {256, 128, 4096}}

func name(s [3]int) string {
	if s[0] == s[1] && s[1] == s[2] {
		return fmt.Sprintf("%d³", s[0])
	}
	return fmt.Sprintf("%d×%d×%d", s[0], s[1], s[2])
}

// timeProducts returns GFLOPS of each shape: the best repeat within 0.6 s, as matmul.py counts.
func timeProducts(threads int) ([]float64, error) {
	pool, err := par.New(threads)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	e := gemm.New(pool)
	var out []float64
	for _, s := range shapes {
		m, k, n := s[0], s[1], s[2]
		a, b, c := noise(m*k), noise(k*n), make([]float32, m*n)
		once := func() { e.Sgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, a, k, b, n, 0, c, n) }
		once()
		best := math.Inf(1)
		for end := time.Now().Add(600 * time.Millisecond); time.Now().Before(end); {
			t := time.Now()
			once()
			best = min(best, time.Since(t).Seconds())
		}
		out = append(out, 2*float64(m)*float64(k)*float64(n)/best/1e9)
	}
	return out, nil
}

func noise(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i*7919%1000)/1000 - 0.5
	}
	return x
}

// libraries are the lines of matmul.py that ours are held against.
var libraries = []string{"PyTorch mm (MKL sgemm)", "NumPy OpenBLAS"}

func (o *options) productRows(self string, threads int) ([]row, error) {
	fmt.Fprintf(os.Stderr, "matrix products, %d threads\n", threads)
	var ours []float64
	if err := output(&ours, command(self, "-products", fmt.Sprint(threads))); err != nil {
		return nil, err
	}
	table, err := o.peerProducts(threads)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, library := range libraries {
		peer, err := rates(table, library)
		if err != nil {
			return nil, err
		}
		for i, s := range shapes {
			rows = append(rows, row{
				Bench: "train", Case: "product " + name(s), Threads: threads, Unit: "GFLOPS",
				Ours: ours[i], Peer: peer[i], Name: library, Ratio: ours[i] / peer[i],
			})
		}
	}
	return rows, nil
}

// peerProducts returns what matmul.py prints, up to the last line that is wanted: those after it are of other
// precisions, and a processor without bfloat16 takes minutes for them.
func (o *options) peerProducts(threads int) (string, error) {
	c := command(o.python(), filepath.Join(o.peers, "matmul.py"), fmt.Sprint(threads), "all")
	c.Env = append(os.Environ(), "TORCH_CPP_LOG_LEVEL=FATAL", fmt.Sprintf("OMP_NUM_THREADS=%d", threads), fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", threads))
	pipe, err := c.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", fmt.Errorf("%v: %w", c.Args, err)
	}
	var table strings.Builder
	lines, wanted := bufio.NewScanner(pipe), len(libraries)
	for wanted > 0 && lines.Scan() {
		fmt.Fprintln(&table, lines.Text())
		if slices.ContainsFunc(libraries, func(l string) bool { return isOf(lines.Text(), l) }) {
			wanted--
		}
	}
	if wanted == 0 {
		_ = c.Process.Kill()
		_ = c.Wait() // it was killed
		return table.String(), nil
	}
	if err := errors.Join(lines.Err(), c.Wait()); err != nil {
		return "", fmt.Errorf("%v: %w", c.Args, err)
	}
	return table.String(), nil // rates says what is missing
}

// isOf tells whether a line of the table is a library's.
func isOf(line, library string) bool { return strings.HasPrefix(strings.TrimLeft(line, "| "), library) }

// rates finds a library's line of the table, "| name | threads | rate | ...".
func rates(table, library string) ([]float64, error) {
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != len(shapes)+2 || !isOf(line, library) {
			continue
		}
		var out []float64
		for _, c := range cells[2:] {
			x, err := strconv.ParseFloat(strings.TrimSpace(c), 64)
			if err != nil {
				return nil, fmt.Errorf("matmul.py: %q: %w", line, err)
			}
			out = append(out, x)
		}
		return out, nil
	}
	return nil, fmt.Errorf("matmul.py printed no line of %s: %q", library, table)
}
