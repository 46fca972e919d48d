package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// result is what one size has shown. Memory and files are in MiB, queries and freshness in milliseconds.
type result struct {
	Records int
	Limit   string

	Fed                         int
	FeedSeconds, DurableSeconds float64
	CPUSeconds                  float64
	OwnMB, MappedMB             float64 // the most that was seen
	Queries                     int
	QueryP50, QueryP99          float64
	Left                        int // pieces of refresh work when the last record was durable

	SettleSeconds             float64
	Unsettled                 int // pieces that were left when the wait was over
	DiskMB, RestMB            float64
	ReadyStopped, ReadyKilled float64
	FreshP50, FreshP99        float64

	faults []string
}

// told is how many faults are kept.
const told = 20

func (r *result) found(format string, args ...any) {
	if len(r.faults) < told {
		r.faults = append(r.faults, fmt.Sprintf(format, args...))
	}
}

// print writes a table with a column for each size.
func print(out io.Writer, results []*result) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name, format string, value func(*result) float64) {
		fmt.Fprint(t, name, "\t")
		for _, r := range results {
			fmt.Fprintf(t, format+"\t", value(r))
		}
		fmt.Fprintln(t)
	}
	each := func(mb func(*result) float64) func(*result) float64 {
		return func(r *result) float64 { return mb(r) * (1 << 20) / float64(r.Records) }
	}
	row("artifacts", "%.0f", func(r *result) float64 { return float64(r.Records) })
	row("fed within, s", "%.1f", func(r *result) float64 { return r.FeedSeconds })
	row("durable within, s", "%.1f", func(r *result) float64 { return r.DurableSeconds })
	row("artifacts/s", "%.0f", func(r *result) float64 { return float64(r.Records) / r.DurableSeconds })
	row("processor time an artifact, ms", "%.2f", func(r *result) float64 { return 1000 * r.CPUSeconds / float64(r.Records) })
	row("own memory at most, MiB", "%.0f", func(r *result) float64 { return r.OwnMB })
	row("pages of files at most, MiB", "%.0f", func(r *result) float64 { return r.MappedMB })
	row("queries meanwhile", "%.0f", func(r *result) float64 { return float64(r.Queries) })
	row("their p50, ms", "%.1f", func(r *result) float64 { return r.QueryP50 })
	row("their p99, ms", "%.1f", func(r *result) float64 { return r.QueryP99 })
	row("refresh work left then", "%.0f", func(r *result) float64 { return float64(r.Left) })
	if results[0].ReadyStopped > 0 {
		row("settled after, s", "%.0f", func(r *result) float64 { return r.SettleSeconds })
		row("work left after that", "%.0f", func(r *result) float64 { return float64(r.Unsettled) })
		row("files of the store, bytes an artifact", "%.0f", each(func(r *result) float64 { return r.DiskMB }))
		row("own memory at rest, bytes an artifact", "%.0f", each(func(r *result) float64 { return r.RestMB }))
		row("ready after a stop, s", "%.1f", func(r *result) float64 { return r.ReadyStopped })
		row("ready after SIGKILL, s", "%.1f", func(r *result) float64 { return r.ReadyKilled })
		row("freshness at 50/s, p50, ms", "%.0f", func(r *result) float64 { return r.FreshP50 })
		row("freshness at 50/s, p99, ms", "%.0f", func(r *result) float64 { return r.FreshP99 })
	}
	return t.Flush()
}
