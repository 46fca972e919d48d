package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"

	"kilim/daemon/web"
)

type rankCommand struct {
	address
	JSON bool `name:"json" help:"Print the daemon's answer as it is."`
}

// Help is shown by kilim rank --help.
func (rankCommand) Help() string {
	return `What people judge alike in general ("kilim judge", or the page) teaches the daemon an order of the list total, once there are groups enough of judged artifacts (rank.least). It orders the best fifty by stated weights anew, if judged artifacts that it was not learned from are ranked better by it.`
}

// Run prints whether lists are in an order that was learned from judgments, and why.
func (c *rankCommand) Run(s *session) error {
	if err := s.settle(nil); err != nil {
		return err
	}
	target, err := c.url("/api/v1/ranking", nil)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, target, nil)
	if err != nil {
		return fmt.Errorf("rank: %w", err)
	}
	raw, err := ask(&http.Client{Timeout: requestTimeout}, req)
	if err != nil {
		return fmt.Errorf("rank: %w", err)
	}
	if c.JSON {
		_, err := s.stdout.Write(append(raw, '\n'))
		return err
	}
	r := new(web.Ranking)
	if err := json.Unmarshal(raw, r); err != nil {
		return fmt.Errorf("rank: %s: not what was learned from judgments: %w", req.URL.Redacted(), err)
	}
	return printRanking(s.stdout, r)
}

func printRanking(w io.Writer, r *web.Ranking) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "order\t%s\n", rankingLine(&r.RankingStatus))
	fmt.Fprintf(out, "judgments\t%d; it takes %d groups of artifacts that are judged alike\n", r.Judgments, r.Least)
	if d := r.Last; d != nil {
		fmt.Fprintf(out, "decided\t%s, on %d judged artifacts in %d groups", d.At.UTC().Format("2006-01-02 15:04"), d.Questions, d.Groups)
		if d.Artifacts > 0 { // they were looked up
			fmt.Fprintf(out, ", %d of them with one among the candidates\nfor\tepoch %d, generation %d, with %d artifacts", d.Useful, d.Epoch, d.Generation, d.Artifacts)
		}
		fmt.Fprintln(out)
		if g := d.Gate; g != nil {
			fmt.Fprintf(out, "held out\tnDCG@10 %.3f as stated, %.3f as learned: %+.3f (%+.3f..%+.3f at %.0f %%), in %d groups\n", g.Stated, g.Learned, g.Gain.Mean, g.Gain.Low, g.Gain.High, 100*g.Level, g.Groups)
		}
	}
	if r.Phase != "idle" {
		fmt.Fprintf(out, "now\t%s\n", r.Phase)
	}
	return out.Flush()
}

// rankingLine says in which order lists are, and why.
func rankingLine(s *web.RankingStatus) string {
	if s.Serving {
		return "learned from judgments: " + s.Reason
	}
	return "as stated: " + s.Reason
}
