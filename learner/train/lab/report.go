package main

import (
	"fmt"
	"strings"

	"kilim/learner/train/eval"
)

func (c *comparison) report() {
	after := mean(c.runs)
	fmt.Println("\n| task | metric | queries | words tf-idf | BM25 | features | untrained | trained | trained, seeds | than untrained | than tf-idf |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|")
	for k, r := range after {
		low, high := seedRange(c.runs, k)
		ranked := "-"
		if c.bm25 != nil {
			ranked = formatted(c.bm25[k])
		}
		fmt.Printf("| %s | %s | %d | %s | %s | %s | %s | %s | %.3f..%.3f | %s | %s |\n", r.task, r.metric, len(r.values),
			formatted(c.tfidf[k]), ranked, formatted(c.raw[k]), formatted(c.before[k]), formatted(r), low, high, verdict(c.before[k], r), verdict(c.tfidf[k], r))
	}
}

func formatted(r result) string {
	if len(r.values) == 1 {
		return fmt.Sprintf("%.3f", r.values[0])
	}
	i := eval.Bootstrap(r.values, 1)
	return fmt.Sprintf("%.3f (%.3f..%.3f)", i.Mean, i.Low, i.High)
}

func verdict(than, r result) string {
	var gain eval.Interval
	if r.votes != nil {
		gain = pairedF1(than, r)
	} else {
		gain, _ = eval.Paired(than.values, r.values, 1)
	}
	return fmt.Sprintf("%s %+.3f", gain.Verdict(), gain.Mean)
}

func writeHeader(to *strings.Builder, of []result) {
	fmt.Fprint(to, "| |")
	for _, r := range of {
		fmt.Fprintf(to, " %s, %s |", r.task, r.metric)
	}
	fmt.Fprintf(to, "\n|---|%s\n", strings.Repeat("---|", len(of)))
}

// writeLine writes the means, and beside them the verdict of the paired bootstrap against all, if that is not nil.
func writeLine(to *strings.Builder, name string, of, all []result) {
	fmt.Fprintf(to, "| %s |", name)
	for k, r := range of {
		sum := 0.0
		for _, x := range r.values {
			sum += x
		}
		fmt.Fprintf(to, " %.3f", sum/float64(len(r.values)))
		if all != nil {
			fmt.Fprintf(to, " (%s)", verdict(all[k], r))
		}
		fmt.Fprint(to, " |")
	}
	fmt.Fprintln(to)
}
