package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"kilim/daemon/pipeline/atlas"
)

// culturesCommand compares the groups of an archive.
type culturesCommand struct {
	address
	Kind  string `enum:"culture,period,place" default:"culture" help:"What is compared: culture, period or place."`
	Theme string `placeholder:"NAME" help:"Compare in this theme alone."`
	Top   int    `default:"12" placeholder:"N" help:"How many of the largest, at most 20."`
	JSON  bool   `name:"json" help:"Print the daemon's answer as it is."`
}

// Help is shown by kilim cultures --help.
func (culturesCommand) Help() string {
	return `Each line compares two cultures by the embeddings of their artifacts: contrast is the cosine of what sets each of the two apart from the mean of the archive, and orders the lines; mean is the mean cosine over all pairs of artifacts, with its 95 % interval. Since is when the mean began to be within the interval that was published then. The pair is the nearest among those that were looked at. With --theme the same of where artifacts lie in a theme, of those that have it. Likeness is no evidence of descent.`
}

// Run prints the comparison.
func (c *culturesCommand) Run(s *session) error {
	query := map[string]string{"kind": c.Kind, "k": strconv.Itoa(c.Top)}
	if c.Theme != "" {
		query["theme"] = c.Theme
	}
	u, err := c.url("/api/v1/cultures", query)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, u, nil)
	if err != nil {
		return fmt.Errorf("cultures: %w", err)
	}
	raw, err := ask(&http.Client{Timeout: requestTimeout}, req)
	if err != nil {
		return fmt.Errorf("cultures: %w", err)
	}
	if c.JSON {
		_, err := s.stdout.Write(append(raw, '\n'))
		return err
	}
	var a atlas.Answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return fmt.Errorf("cultures: the daemon's answer: %w", err)
	}
	return printCultures(s.stdout, &a)
}

// printCultures prints the groups, and each two of them, those of the greatest contrast first.
func printCultures(w io.Writer, a *atlas.Answer) error {
	labels := map[string]string{}
	for _, g := range a.Groups {
		labels[g.Key] = g.Label
	}
	in := fmt.Sprintf("model of epoch %d", a.Epoch)
	if a.Theme != "" {
		in = fmt.Sprintf("in theme %q by model %s", a.Theme, a.Model)
	}
	fmt.Fprintf(w, "the %d largest of %d, %s\n\n", len(a.Groups), a.All, in)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\tartifacts\n", a.Kind)
	for _, g := range a.Groups {
		fmt.Fprintf(t, "%s\t%d\n", g.Label, g.Artifacts)
	}
	fmt.Fprintln(t, "\t\nTWO OF THEM\tCONTRAST\tMEAN\t95 %\tSINCE\tNEAREST")
	cells := slices.DeleteFunc(slices.Clone(a.Cells), func(c atlas.Cell) bool { return c.A == c.B })
	slices.SortStableFunc(cells, func(x, y atlas.Cell) int {
		switch {
		case x.Contrast > y.Contrast:
			return -1
		case x.Contrast < y.Contrast:
			return 1
		}
		return 0
	})
	for _, c := range cells {
		pair := ""
		if len(c.Nearest) > 0 {
			pair = fmt.Sprintf("%s, %s (%.2f)", c.Nearest[0].A, c.Nearest[0].B, c.Nearest[0].Cosine)
		}
		since := ""
		if c.Since != nil {
			since = c.Since.Local().Format(time.DateTime)
		}
		fmt.Fprintf(t, "%s, %s\t%+.2f\t%.3f\t%.3f to %.3f\t%s\t%s\n", labels[c.A], labels[c.B], c.Contrast, c.Mean, c.Low, c.High, since, pair)
	}
	return t.Flush()
}
