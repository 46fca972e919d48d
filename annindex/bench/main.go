// Command bench measures the graph of package hnsw on a data set that the peers' make_data.py wrote
// (../shared/peers/ann/README.md fixes data, tasks and records), and prints the records. Command compare sets them
// beside the peers' own.
//
//	go run ./annindex/bench --data DIR/walters-svd-128 --json
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := bench(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench() error {
	folder := flag.String("data", "", "`folder` of a data set that make_data.py wrote")
	asJSON := flag.Bool("json", false, "print an array of records, as the peers' README says")
	m := flag.Int("m", 16, "links of a node on the upper levels")
	relinkBeyond := flag.Float64("relink-beyond", 0, "see hnsw.Config.RelinkBeyond; 0 is its default")
	reinsertBeyond := flag.Float64("reinsert-beyond", 0, "see hnsw.Config.ReinsertBeyond; 0 is its default")
	tasks := flag.String("tasks", "build,turnover,drift", "what to measure: of build, turnover, drift, delete, nudge, load")
	threads := flag.String("threads", "1,2", "threads of the moves")
	fresh := flag.Bool("fresh", false, "build a fresh index after every round of moves too")
	million := flag.Int("load-vectors", 1_000_000, "vectors of the task load")
	flag.Parse()
	var records []record
	r := &run{m: *m, relinkBeyond: float32(*relinkBeyond), reinsertBeyond: float32(*reinsertBeyond)}
	part := ""
	name := ""
	r.emit = func(rec record) {
		rec["data"], rec["peer"], rec["m"] = name, "ours", *m
		if rec["part_of"] == nil {
			rec["part_of"] = part
		}
		records = append(records, rec)
		if !*asJSON {
			line, _ := json.Marshal(rec)
			fmt.Println(string(line))
		}
	}
	for _, part = range strings.Split(*tasks, ",") {
		if part == "load" {
			name = "random"
			if err := r.loadTask(*million); err != nil {
				return err
			}
			continue
		}
		if r.data == nil {
			var err error
			if r.data, err = open(*folder); err != nil {
				return err
			}
			name = r.data.Name
		}
		if err := r.task(part, *threads, *fresh); err != nil {
			return fmt.Errorf("%s: %s: %w", name, part, err)
		}
	}
	if *asJSON {
		lines := make([]string, len(records))
		for i, rec := range records {
			line, err := json.Marshal(rec)
			if err != nil {
				return err
			}
			lines[i] = string(line)
		}
		fmt.Println("[\n" + strings.Join(lines, ",\n") + "\n]")
	}
	return nil
}

func (r *run) task(name, threads string, fresh bool) error {
	switch name {
	case "build":
		return r.buildTask()
	case "turnover", "drift":
		for t := range strings.SplitSeq(threads, ",") {
			n := map[string]int{"1": 1, "2": 2}[t]
			if n == 0 {
				return fmt.Errorf("threads %q: want 1 or 2", t)
			}
			if err := r.moveTask(name, n, fresh); err != nil {
				return err
			}
		}
		return nil
	case "delete":
		return r.deleteTask()
	case "nudge":
		return r.nudgeTask()
	}
	return fmt.Errorf("unknown task")
}
