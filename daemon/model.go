package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"

	"kilim/daemon/app"
	"kilim/daemon/config"
	"kilim/daemon/web"
)

// modelCommand are the commands about models; without a name, their list.
type modelCommand struct {
	List     modelListCommand     `cmd:"" default:"withargs" help:"List the models, and what serves."`
	Describe modelDescribeCommand `cmd:"" help:"Tell what a model of a state folder is made of: shapes, parameters, and where its weights come from."`
	Promote  modelPromoteCommand  `cmd:"" help:"Have a model serve, as soon as its state is made beside."`
	Rollback modelRollbackCommand `cmd:"" help:"Have a model serve again that has served before."`
}

// modelDaemon is the daemon that a command about models asks.
type modelDaemon struct {
	HTTP string `name:"http" default:"http://127.0.0.1:9464" placeholder:"URL" help:"Where the daemon answers; https:// and user:password@ are understood, HOST:PORT alone is http."`
	JSON bool   `name:"json" help:"Print the daemon's answer as it is."`
}

type modelListCommand struct{ modelDaemon }

// Run prints the models.
func (c *modelListCommand) Run(s *session) error {
	return c.ask(s, http.MethodGet, "/api/v1/models")
}

type modelDescribeCommand struct {
	Epoch uint32 `arg:"" help:"Epoch of the model."`
	config.Config
}

// Run prints the description. A daemon may have the folder open.
func (c *modelDescribeCommand) Run(s *session) error {
	if err := s.settle(&c.Config); err != nil {
		return err
	}
	d, err := app.Describe(&c.Config, c.Epoch)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	return d.Print(s.stdout)
}

type modelPromoteCommand struct {
	Epoch uint32 `arg:"" help:"Epoch of the model."`
	modelDaemon
}

// Run asks for a model, and prints where that stands.
func (c *modelPromoteCommand) Run(s *session) error {
	return c.ask(s, http.MethodPost, fmt.Sprintf("/api/v1/models/%d/promote", c.Epoch))
}

type modelRollbackCommand struct {
	Epoch uint32 `arg:"" help:"Epoch of the model."`
	modelDaemon
}

// Run asks for a model that has served before, and prints where that stands.
func (c *modelRollbackCommand) Run(s *session) error {
	return c.ask(s, http.MethodPost, fmt.Sprintf("/api/v1/models/%d/rollback", c.Epoch))
}

func (c *modelDaemon) ask(s *session, method, path string) error {
	if err := s.settle(nil); err != nil {
		return err
	}
	target, err := apiURL(c.HTTP, path, nil)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	raw, err := request(s, method, target)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	if c.JSON {
		_, err := s.stdout.Write(append(raw, '\n'))
		return err
	}
	models := new(web.Models)
	if err := json.Unmarshal(raw, models); err != nil {
		return fmt.Errorf("model: %s: not a list of models: %w", path, err)
	}
	return printModels(s.stdout, models)
}

func request(s *session, method, target string) ([]byte, error) {
	req, err := http.NewRequestWithContext(s.ctx, method, target, nil)
	if err != nil {
		return nil, err
	}
	res, err := (&http.Client{Timeout: requestTimeout}).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, answerBytes))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", req.URL.Redacted(), err)
	}
	raw = []byte(strings.TrimSpace(string(raw)))
	if res.StatusCode/100 == 2 {
		return raw, nil
	}
	var refusal struct{ Error string }
	if json.Unmarshal(raw, &refusal) == nil && refusal.Error != "" {
		return nil, fmt.Errorf("%s: %s", res.Status, refusal.Error)
	}
	return nil, fmt.Errorf("%s: %s: %.200s", req.URL.Redacted(), res.Status, raw)
}

func printModels(w io.Writer, m *web.Models) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "EPOCH\tSTATE\tPARENT\tWEIGHTS\tCREATED\tNOW")
	for _, model := range m.Models {
		parent, weights := "-", "seed "+strconv.FormatUint(model.Seed, 10)
		if model.Parent > 0 {
			parent = strconv.FormatUint(uint64(model.Parent), 10)
		}
		if model.Checkpoint != "" {
			weights = model.Checkpoint
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", model.Epoch, model.State, parent, weights,
			model.Created.UTC().Format("2006-01-02 15:04"), strings.Join(standing(m, model.Epoch), ", "))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, model := range m.Models {
		if model.Reason == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "epoch %d: %s\n", model.Epoch, model.Reason); err != nil {
			return err
		}
	}
	return nil
}

// standing says whether a model serves or is being made to serve.
func standing(m *web.Models, epoch uint32) (now []string) {
	if m.Serving == epoch {
		now = append(now, "serves")
		if m.Republishing {
			now = append(now, "its lists are being published")
		}
	}
	if n := m.Next; n != nil && n.Epoch == epoch {
		text := fmt.Sprintf("%s, %.0f %%", n.Phase, 100*n.Ratio)
		if n.Error != "" {
			text = n.Phase + ": " + n.Error
		}
		now = append(now, text)
	}
	return now
}
