package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine names the processor as far as /proc/cpuinfo tells.
func machine() string {
	raw, _ := os.ReadFile("/proc/cpuinfo")
	name := "processor unknown"
	for line := range strings.Lines(string(raw)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			name = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", name, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// table returns the rows as a Markdown table.
func (o *options) table(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. M=16, efConstruction=200; medians of runs: %d. A ratio is ours to the peer's, the best of %s or the one named; fresh: built anew from the same vectors.\n\n",
		machine(), o.runs, strings.Join(o.names, ", "))
	b.WriteString("| case | unit | ours | peer | | ratio |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		peer, name, ratio := "-", "", "-"
		if r.Name != "" {
			peer, name = number(r.Peer, r.Unit), r.Name
			if r.Ratio > 0 {
				ratio = fmt.Sprintf("%.2f", r.Ratio)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.Case, r.Unit, number(r.Ours, r.Unit), peer, name, ratio)
	}
	return b.String()
}

func number(x float64, unit string) string {
	switch unit {
	case "recall":
		return fmt.Sprintf("%+.4f", x)
	case "MB":
		return fmt.Sprintf("%.2f", x)
	case "%":
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

func writeLines(file string, rows []row) error {
	if file == "" {
		return nil
	}
	var b strings.Builder
	for _, r := range rows {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
