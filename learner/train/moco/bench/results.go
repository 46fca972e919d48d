package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/par"
)

// machine describes where the figures were measured.
type machine struct {
	processor string
	load      string // averages of 1, 5 and 15 minutes before the run
	kernel    string // of gemm
	revision  string
}

func describeMachine() machine {
	m := machine{"processor unknown", "unknown", "unknown", "unknown"}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				m.processor = strings.TrimSpace(value)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.load = strings.Join(strings.Fields(string(b))[:3], " ")
	}
	if pool, err := par.New(1); err == nil {
		m.kernel = gemm.New(pool).Kernel()
	}
	if b, err := exec.Command("git", "describe", "--always", "--dirty").Output(); err == nil {
		m.revision = strings.TrimSpace(string(b))
	}
	return m
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, load %s before; %s/%s, %s, kilim %s, products by the %s kernel",
		m.processor, runtime.NumCPU(), m.load, runtime.GOOS, runtime.GOARCH, runtime.Version(), m.revision, m.kernel)
}

func print(w io.Writer, m machine, rows []row) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s. A ratio is ours to the peer's: of milliseconds below 1 is faster, of GFLOPS above 1.\n\n", m)
	fmt.Fprintln(&b, "| case | threads | unit | ours | peer | | ratio |\n|---|---|---|---|---|---|---|")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %d | %s | %.1f | %.1f | %s | %.2f |\n", r.Case, r.Threads, r.Unit, r.Ours, r.Peer, r.Name, r.Ratio)
	}
	for _, r := range rows {
		if len(r.EachOurs) > 0 {
			fmt.Fprintf(&b, "\nEach run, %d threads: ours %.1f, %s %.1f\n", r.Threads, r.EachOurs, r.Name, r.EachPeer)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

const resultsHead = "# Measured: a training step beside PyTorch's\n\n" +
	"Made by `make bench-train BENCH='-results FILE'`; what is measured and how is in doc.go. Compare only figures of one entry: the machine's own speed changes.\n"

// appendResults appends an entry to a results file, which is begun when absent.
func appendResults(file string, m machine, rows []row) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("-results: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if info.Size() == 0 {
		fmt.Fprint(f, resultsHead)
	}
	fmt.Fprintf(f, "\n## %s\n\n", time.Now().UTC().Format("2006-01-02 15:04 UTC"))
	return errors.Join(print(f, m, rows), f.Close())
}

func write(file string, rows []row) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	e := json.NewEncoder(f)
	for _, r := range rows {
		if err := e.Encode(r); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}
