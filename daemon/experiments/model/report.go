package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"kilim/daemon/experiments/stats"
)

// print writes a table for each of the data that rows are kept of.
func (o *options) print(w io.Writer, cells []cell, kept *rows, remarks []string) error {
	revisions := map[string]bool{}
	name := ""
	for _, c := range cells {
		var trained []row
		for seed := range uint64(o.seeds) {
			if r, ok := kept.of[o.trainingKey(c, seed+1)]; ok {
				trained = append(trained, r)
				revisions[r.Revision] = true
			}
		}
		came, measured := kept.of[o.newcomerKey(c)]
		if len(trained) == 0 && !measured {
			continue
		}
		if measured {
			revisions[came.Revision] = true
		}
		if c.data.name != name {
			name = c.data.name
			fmt.Fprintf(w, "### %s\n\n| | seeds | halves MRR | culture accuracy | culture F1 | ms a newcomer | processor ms a step | steps a second |\n|---|---|---|---|---|---|---|---|\n", name)
		}
		fmt.Fprintf(w, "| %s | %d |", c.choice.name, len(trained))
		for _, metric := range []string{halves, accuracy, f1} {
			fmt.Fprintf(w, " %s |", spread(trained, metric))
		}
		cost := "-"
		if measured {
			cost = fmt.Sprintf("%.1f", came.Values[newcomer])
		}
		quiet := slices.DeleteFunc(trained, func(r row) bool { return r.Loaded })
		fmt.Fprintf(w, " %s | %s | %s |\n", cost, median(quiet, processor, func(x float64) float64 { return 1000 * x }), median(quiet, wall, func(x float64) float64 { return 1 / x }))
	}
	_, err := fmt.Fprintf(w, "\nRows of kilim %s; trainings of %s, %d artifacts set aside at most; newcomers %d after %d. Of several seeds: the mean, and the least to the greatest; costs: the median, of what was measured without other work on the machine.\n",
		strings.Join(slices.Sorted(maps.Keys(revisions)), ", "), o.length(), o.test, o.came, o.before)
	for _, r := range remarks {
		fmt.Fprintf(w, "%s.\n", r)
	}
	return err
}

func (o *options) length() string {
	length, of := "the usual length", "the whole archive"
	if o.steps > 0 {
		length = fmt.Sprintf("%d steps", o.steps)
	}
	if o.records > 0 {
		of = fmt.Sprintf("%d records of each archive, spread over it evenly", o.records)
	}
	return length + " with " + of
}

func valuesOf(all []row, metric string) (out []float64) {
	for _, r := range all {
		if v, ok := r.Values[metric]; ok {
			out = append(out, v)
		}
	}
	return out
}

// spread is the mean of a metric, with the least and the greatest of several seeds.
func spread(all []row, metric string) string {
	x := valuesOf(all, metric)
	if len(x) == 0 {
		return "-"
	}
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	mean := fmt.Sprintf("%.3f", sum/float64(len(x)))
	if len(x) == 1 {
		return mean
	}
	return fmt.Sprintf("%s (%.3f..%.3f)", mean, slices.Min(x), slices.Max(x))
}

func median(all []row, metric string, as func(float64) float64) string {
	x := valuesOf(all, metric)
	if len(x) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", as(stats.Median(x)))
}
