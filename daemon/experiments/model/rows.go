package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Metrics of rows.
const (
	halves    = "half, MRR"
	accuracy  = "culture, accuracy"
	f1        = "culture, macro F1"
	processor = "processor s a step"
	wall      = "s a step"
	newcomer  = "processor ms a newcomer"
)

// key says what a row is of. Two rows of equal keys are of the same measurement.
type key struct {
	Data   string `json:"data"`
	Flags  string `json:"flags"`          // of the lab, or of the daemon
	Seed   uint64 `json:"seed,omitempty"` // of a training
	Steps  int    `json:"steps,omitempty"`
	Test   int    `json:"test,omitempty"`
	Kept   int    `json:"records,omitempty"` // of the archive, in a training; 0: all
	Before int    `json:"before,omitempty"`  // records that are there when newcomers come
	Came   int    `json:"came,omitempty"`    // newcomers; 0: the row is of a training
}

// row is a measurement.
type row struct {
	key
	Revision string             `json:"revision"`
	Loaded   bool               `json:"loaded,omitempty"` // the machine had other work: the costs among Values mean nothing
	Values   map[string]float64 `json:"values"`
}

// rows are the measurements of a file, to which more are added.
type rows struct {
	file string
	of   map[key]row
}

// readRows reads a file, which need not be there. A last line that a stop has cut is dropped, and made again.
func readRows(file string) (*rows, error) {
	r := &rows{file, map[key]row{}}
	raw, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("rows: %w", err)
	}
	defer raw.Close()
	whole := int64(0)
	in := bufio.NewReader(raw)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // what is left has no end
		}
		if err != nil {
			return nil, fmt.Errorf("rows: %s: %w", file, err)
		}
		var one row
		if err := json.Unmarshal(line, &one); err != nil {
			return nil, fmt.Errorf("rows: %s: line %d: %w", file, n, err)
		}
		r.of[one.key] = one
		whole += int64(len(line))
	}
	if err := os.Truncate(file, whole); err != nil {
		return nil, fmt.Errorf("rows: %w", err)
	}
	return r, nil
}

// add keeps a row, on the disk too.
func (r *rows) add(one row) error {
	line, err := json.Marshal(one)
	if err != nil {
		return fmt.Errorf("rows: %w", err)
	}
	f, err := os.OpenFile(r.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("rows: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("rows: %w", err)
	}
	r.of[one.key] = one
	return nil
}
