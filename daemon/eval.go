package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"kilim/daemon/app"
	"kilim/daemon/config"
	"kilim/learner/train/eval"
)

// evalCommand are the evaluations; without a name, that against a truth.
type evalCommand struct {
	Encoders encodersCommand `cmd:"" help:"How often are the nearest of a kind, by each built-in encoder alone? Beside simple baselines."`
	Truth    truthCommand    `cmd:"" default:"withargs" help:"How good are the lists, by people's judgments? Beside BM25 over all fields."`
}

// truthCommand evaluates a state folder, or what a daemon serves.
type truthCommand struct {
	config.State
	Truth string `required:"" placeholder:"FILE" help:"Judgments, JSON Lines: {\"a\",\"b\",\"grade\",\"theme\"?} with the whole archive as candidates, or {\"id\",\"theme\":{name:[terms]}} with the ids of the file as candidates. Plain or gzip."`
	List  string `default:"total" placeholder:"NAME" help:"The list that is judged: total, general or theme:NAME."`
	HTTP  string `name:"http" placeholder:"URL" help:"Ask the daemon that answers there, such as http://127.0.0.1:9464, instead of reading the state folder (--data), which no daemon may have open."`
	JSON  bool   `name:"json" help:"Print the report as JSON."`
}

// Run prints the report.
func (c *truthCommand) Run(s *session) error {
	if err := s.settle(&c.State); err != nil {
		return err
	}
	report, err := c.report(s)
	if err != nil {
		return fmt.Errorf("eval: %w", err)
	}
	if !c.JSON {
		return report.Print(s.stdout)
	}
	out := json.NewEncoder(s.stdout)
	out.SetIndent("", "  ")
	return out.Encode(report)
}

func (c *truthCommand) report(s *session) (*eval.Report, error) {
	f, err := os.Open(c.Truth)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// A configuration file names where the daemon listens, for other commands: only the flag asks it.
	if s.loader.Source("http") == "flag" {
		return c.ask(s, f)
	}
	truth, err := eval.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Truth, err)
	}
	report, err := app.Evaluate(s.ctx, &config.Config{State: c.State}, truth, c.List, c.Log.New(s.stderr))
	return report, opened(c.Data, err, "stop it, or ask it with --http")
}

func (c *truthCommand) ask(s *session, truth io.Reader) (*eval.Report, error) {
	target, err := address{c.HTTP}.url("/api/v1/evaluate", map[string]string{"list": c.List})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, target, truth)
	if err != nil {
		return nil, err
	}
	raw, err := ask(http.DefaultClient, req)
	if err != nil {
		return nil, err
	}
	report := new(eval.Report)
	if err := json.Unmarshal(raw, report); err != nil {
		return nil, fmt.Errorf("%s: not a report: %w", req.URL.Redacted(), err)
	}
	return report, nil
}
