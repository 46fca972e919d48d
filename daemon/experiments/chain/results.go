package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"
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

// entry is the report as a section of a Markdown file, with every run's raw figures.
func (r *report) entry(now time.Time) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "\n## %s\n\n```\n", now.UTC().Format("2006-01-02 15:04 UTC"))
	if err := r.print(&b); err != nil {
		return nil, err
	}
	b.WriteString("```\n\nEach run:\n\n```\n")
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, run := range r.raws() {
		if err := enc.Encode(run); err != nil {
			return nil, err
		}
	}
	b.WriteString("```\n")
	return b.Bytes(), nil
}

const resultsHead = "# Measured: kilim's chain beside the peer pipeline\n\n" +
	"Made by `bin/kilim-bench -results FILE`; what is measured and how is in doc.go. Compare only figures of one entry: the machine's own speed changes.\n"

// appendResults appends an entry to a results file, which is begun when absent.
func (r *report) appendResults(path string, now time.Time) error {
	entry, err := r.entry(now)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		entry = append([]byte(resultsHead), entry...)
	}
	if _, err := f.Write(entry); err != nil {
		return err
	}
	return f.Close()
}
