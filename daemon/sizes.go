package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"kilim/daemon/standby"
)

// printSizes prints a table of the rows by kind, and what the files take.
func printSizes(out io.Writer, s standby.Sizes) error {
	each := func(bytes int64) float64 { return float64(bytes) / float64(max(s.Artifacts, 1)) }
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%d artifacts\trows\tbytes\tbytes an artifact\t\n", s.Artifacts)
	var rows, bytes int64
	for _, k := range s.Kinds {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.0f\t\n", k.Name, k.Rows, k.Bytes, each(k.Bytes))
		rows, bytes = rows+k.Rows, bytes+k.Bytes
	}
	fmt.Fprintf(t, "%s\t%d\t%d\t%.0f\t\n", s.Histories.Name, s.Histories.Rows, s.Histories.Bytes, each(s.Histories.Bytes))
	fmt.Fprintf(t, "all rows\t%d\t%d\t%.0f\t\n", rows, bytes, each(bytes))
	fmt.Fprintf(t, "files of tables\t\t%d\t%.0f\t\n", s.Tables, each(s.Tables))
	fmt.Fprintf(t, "files of the value log\t\t%d\t%.0f\t\n", s.ValueLog, each(s.ValueLog))
	return t.Flush()
}
