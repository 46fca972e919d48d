package main

import (
	"fmt"
	"io"
)

// boundMB is the most memory of its own that ../README.md states for a daemon of default settings, and how that is composed.
const boundMB = 3000

// report is the verdict; its JSON is the last line of the output.
type report struct {
	Seed        uint64  `json:"seed"`
	Records     int     `json:"records"`
	Good        int     `json:"good"`
	Applied     int     `json:"applied"` // not refused
	DeadLetters int     `json:"dead_letters"`
	Artifacts   int     `json:"artifacts"` // served in the end
	Findings    int     `json:"findings"`
	PeakMB      float64 `json:"peak_mb"` // of the memory of its own, by samples
	BoundMB     float64 `json:"bound_mb"`
	ResidentMB  float64 `json:"resident_mb"` // the peak with the files that are mapped, by the kernel
	Seconds     float64 `json:"seconds"`

	out io.Writer
}

// told is how many findings are printed; all are counted.
const told = 50

func (r *report) found(format string, args ...any) {
	if r.Findings++; r.Findings <= told {
		fmt.Fprintf(r.out, "found: "+format+"\n", args...)
	}
}
