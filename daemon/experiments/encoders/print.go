package encoders

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"kilim/daemon/experiments/comparison"
	"kilim/learner/train/eval"
)

// Print writes the result for people.
func (r *Result) Print(w io.Writer) error {
	fmt.Fprintf(w, "Nearest neighbours by one modality, leave one out; means with intervals of %.0f %%.\n\n", 100*eval.Level)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\ttask\tscore\tqueries\tchance\tbaseline\t\tkilim\tkilim - baseline")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%.3f\t%s\t%s\t%s\t%+.3f (%+.3f..%+.3f) %s\n", row.Modality, row.Task, row.Score, row.Queries, row.Chance,
			row.Baseline, interval(row.Base), interval(row.Ours), row.Lead.Mean, row.Lead.Low, row.Lead.High, row.Verdict)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, m := range r.Missing {
		if _, err := fmt.Fprintf(w, "left out: %s\n", m); err != nil {
			return err
		}
	}
	if len(r.Rates) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nRates, from the bytes to the vector, on %d cores.\n\n", r.Rates[0].Cores)
	fmt.Fprintln(t, "\tof\tbytes each\tartifacts/s\ta core")
	for _, rate := range r.Rates {
		fmt.Fprintf(t, "%s\t%s\t%d\t%.0f\t%.1f\n", rate.Modality, rate.Of, rate.Bytes, rate.PerSecond, rate.PerSecond/float64(rate.Cores))
	}
	return t.Flush()
}

func interval(i eval.Interval) string { return fmt.Sprintf("%.3f (%.3f..%.3f)", i.Mean, i.Low, i.High) }

// JSON writes the result as one object.
func (r *Result) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Lines writes a comparison a line.
func (r *Result) Lines(w io.Writer) error {
	rows := make([]comparison.Row, len(r.Rows))
	for i, row := range r.Rows {
		rows[i] = comparison.Row{Bench: "encoders", Case: row.Modality + ", " + row.Task, Ours: row.Ours.Mean, Peer: row.Base.Mean, PeerName: row.Baseline, Unit: row.Score}
		if rows[i].Peer > 0 {
			rows[i].Ratio = rows[i].Ours / rows[i].Peer
		}
	}
	return comparison.Write(w, rows)
}
