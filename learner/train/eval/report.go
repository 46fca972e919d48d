package eval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
)

// ErrUnknown is returned by a Ranker for an artifact that it does not have.
var ErrUnknown = errors.New("eval: unknown artifact")

// Ranker is a system that is measured.
type Ranker interface {
	// Rank returns the k artifacts nearest to a query, best first, without itself, among the candidates of the Truth.
	Rank(ctx context.Context, id string, k int) ([]string, error)
}

// System is a Ranker with a name.
type System struct {
	Name   string
	Ranker Ranker
}

// Report is the comparison of systems over one list of a Truth.
type Report struct {
	List string `json:"list"`
	// Queries is how many were asked; Unknown how many queries of the Truth some system does not have.
	Queries int `json:"queries"`
	Unknown int `json:"unknown"`
	// Labelled is how many candidates of a Truth of labels carry labels of the list's theme themselves, in the archive: a model that learns from
	// labels may have learned these, and what it makes of them is no test.
	Labelled int      `json:"labelled,omitempty"`
	Systems  []Result `json:"systems"`
}

// Result is what a system reached in each metric.
type Result struct {
	Name    string         `json:"name"`
	Metrics []MetricResult `json:"metrics"`
}

// MetricResult is the mean of a metric with its Interval.
type MetricResult struct {
	Metric string `json:"metric"`
	Interval
	// Lead is the first system minus this one, paired.
	Lead    Interval `json:"lead"`
	Verdict string   `json:"verdict"` // of the first system against this one
}

// Compare asks all systems all queries of a list. The first system is the one that the others are compared with.
func Compare(ctx context.Context, t *Truth, list string, seed uint64, systems ...System) (*Report, error) {
	queries, err := t.Queries(list, seed)
	if err != nil {
		return nil, err
	}
	r := &Report{List: list}
	values := make([][][]float64, len(systems)) // system, metric, query
	for i := range values {
		values[i] = make([][]float64, len(Names()))
	}
	for _, q := range queries {
		row := make([]Metrics, len(systems))
		known := true
		for i, s := range systems {
			ranking, err := s.Ranker.Rank(ctx, q.ID, Depth)
			if errors.Is(err, ErrUnknown) {
				known = false
				break
			}
			if err != nil {
				return nil, fmt.Errorf("eval: %s: query %q: %w", s.Name, q.ID, err)
			}
			row[i] = Measure(q, ranking)
		}
		if !known {
			r.Unknown++
			continue
		}
		r.Queries++
		for i, m := range row {
			for j, v := range m.Values() {
				values[i][j] = append(values[i][j], v)
			}
		}
	}
	if r.Queries == 0 {
		return nil, fmt.Errorf("%w: none of the %d of list %q is in the archive", ErrNoQueries, len(queries), list)
	}
	for i, s := range systems {
		res := Result{Name: s.Name}
		for j, name := range Names() {
			lead, verdict := Paired(values[i][j], values[0][j], seed)
			res.Metrics = append(res.Metrics, MetricResult{name, Bootstrap(values[i][j], seed), lead, verdict.String()})
		}
		r.Systems = append(r.Systems, res)
	}
	return r, nil
}

// Print writes the Report for people.
func (r *Report) Print(w io.Writer) error {
	fmt.Fprintf(w, "list %s: %d queries", r.List, r.Queries)
	if r.Unknown > 0 {
		fmt.Fprintf(w, " (%d more are not in the archive)", r.Unknown)
	}
	if r.Labelled > 0 {
		fmt.Fprintf(w, "; %d of the candidates carry labels of the theme in the archive, which the model may have learned: feed them without for a test", r.Labelled)
	}
	fmt.Fprintf(w, "; means with intervals of %.0f %%\n", 100*Level)
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, name := range Names() {
		fmt.Fprintf(out, "\t%s", name)
	}
	fmt.Fprintln(out)
	for _, s := range r.Systems {
		fmt.Fprint(out, s.Name)
		for _, m := range s.Metrics {
			fmt.Fprintf(out, "\t%.4f (%.4f..%.4f)", m.Mean, m.Low, m.High)
		}
		fmt.Fprintln(out)
	}
	for _, s := range r.Systems[1:] {
		fmt.Fprintf(out, "%s - %s", r.Systems[0].Name, s.Name)
		for _, m := range s.Metrics {
			fmt.Fprintf(out, "\t%+.4f (%+.4f..%+.4f) %s", m.Lead.Mean, m.Lead.Low, m.Lead.High, m.Verdict)
		}
		fmt.Fprintln(out)
	}
	return out.Flush()
}
