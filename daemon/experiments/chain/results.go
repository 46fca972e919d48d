package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"kilim/daemon/experiments/comparison"
)

// raw is a single run as it is kept in the results file.
type raw struct {
	What  string `json:"what"`
	Who   string `json:"who"`
	Round int    `json:"round"`
	Run   any    `json:"run"`
}

func (r *report) raws() []raw {
	var out []raw
	add := func(what string, c *contest) {
		if c == nil {
			return
		}
		for i, run := range c.ours {
			out = append(out, raw{what, "kilim", i + 1, run})
		}
		for v, runs := range c.peers {
			for i, run := range runs {
				out = append(out, raw{what, c.variants[v].name, i + 1, run})
			}
		}
	}
	add(onlyThroughput, r.throughput)
	add(onlyLatency, r.latency)
	return out
}

// entry writes the report as the text of an entry, with every run's raw figures.
func (r *report) entry(w io.Writer) error {
	fmt.Fprint(w, "```\n")
	if err := r.print(w); err != nil {
		return err
	}
	fmt.Fprint(w, "```\n\nEach run:\n\n```\n")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, run := range r.raws() {
		if err := enc.Encode(run); err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(w, "```\n")
	return err
}

const resultsHead = "# Measured: kilim's chain beside the peer pipeline\n\n" +
	"Made by `bin/kilim-bench -results FILE`; what is measured and how is in doc.go. Compare only figures of one entry: the machine's own speed changes.\n"

// appendResults appends an entry to a results file, which is begun when absent.
func (r *report) appendResults(path string, now time.Time) error {
	return comparison.Append(path, resultsHead, now, r.entry)
}
