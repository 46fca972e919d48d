package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/blas"

	"kilim/learner/gemm"
	"kilim/learner/par"
)

// shapes are those of the peers' matmul.py: m, k, n.
var shapes = [][3]int{{1024, 1024, 1024}, {2048, 2048, 2048}, {4096, 4096, 4096}, {15616, 512, 128}, {2816, 512, 128}, {256, 128, 4096}}

func name(s [3]int) string {
	if s[0] == s[1] && s[1] == s[2] {
		return fmt.Sprintf("%d³", s[0])
	}
	return fmt.Sprintf("%d×%d×%d", s[0], s[1], s[2])
}

// timeProducts returns GFLOPS of each shape: the best repeat within 0.6 s, as
// matmul.py counts.
func timeProducts(threads int) ([]float64, error) {
	team, err := par.New(threads)
	if err != nil {
		return nil, err
	}
	defer team.Close()
	e := gemm.New(team)
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
	c := exec.Command(o.python(), filepath.Join(o.peers, "matmul.py"), fmt.Sprint(threads), "all")
	c.Stderr = os.Stderr
	c.Env = append(os.Environ(), "TORCH_CPP_LOG_LEVEL=FATAL", fmt.Sprintf("OMP_NUM_THREADS=%d", threads), fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", threads))
	raw, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("%v: %w", c.Args, err)
	}
	var rows []row
	for _, library := range libraries {
		peer, err := rates(string(raw), library)
		if err != nil {
			return nil, err
		}
		for i, s := range shapes {
			rows = append(rows, row{"train", "product " + name(s), threads, "GFLOPS", ours[i], peer[i], library, ours[i] / peer[i]})
		}
	}
	return rows, nil
}

// rates finds a library's line of the table, "| name | threads | rate | ...".
func rates(table, library string) ([]float64, error) {
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != len(shapes)+2 || !strings.HasPrefix(strings.TrimSpace(cells[0]), library) {
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
