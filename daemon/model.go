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
	"kilim/learner/train/gate"
	"kilim/learner/train/registry"
)

// modelCommand are the commands about models; without a name, their list.
type modelCommand struct {
	List     modelListCommand     `cmd:"" default:"withargs" help:"List the models, and what serves."`
	Show     modelShowCommand     `cmd:"" help:"Show how a model was judged beside the one that served."`
	Describe modelDescribeCommand `cmd:"" help:"Tell what a model of a state folder is made of: shapes, parameters, and where its weights come from."`
	Promote  modelPromoteCommand  `cmd:"" help:"Have a model serve, as soon as its state is made beside."`
	Rollback modelRollbackCommand `cmd:"" help:"Have a model serve again that has served before."`
}

// modelDaemon is the daemon that a command about models asks.
type modelDaemon struct {
	address
	JSON bool `name:"json" help:"Print the daemon's answer as it is."`
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
	Epoch uint32 `arg:"" optional:"" help:"Epoch of the model; without it, the one from which the model that serves was trained."`
	modelDaemon
}

// Run asks for a model that has served before, and prints where that stands.
func (c *modelRollbackCommand) Run(s *session) error {
	if c.Epoch == 0 {
		models, _, err := c.models(s, http.MethodGet, "/api/v1/models")
		if err != nil {
			return err
		}
		serving := find(models, models.Serving)
		if serving == nil || serving.Parent == 0 {
			return fmt.Errorf("model: epoch %d serves, which was trained from no other: name the epoch that is to serve", models.Serving)
		}
		c.Epoch = serving.Parent
	}
	return c.ask(s, http.MethodPost, fmt.Sprintf("/api/v1/models/%d/rollback", c.Epoch))
}

type modelShowCommand struct {
	Epoch uint32 `arg:"" help:"Epoch of the model."`
	modelDaemon
}

// Run prints the model's line in the list, and the table of the gate.
func (c *modelShowCommand) Run(s *session) error {
	models, _, err := c.models(s, http.MethodGet, "/api/v1/models")
	if err != nil {
		return err
	}
	model := find(models, c.Epoch)
	if model == nil {
		return fmt.Errorf("model: there is no epoch %d: kilim model lists them", c.Epoch)
	}
	if c.JSON {
		raw, err := json.Marshal(model)
		if err != nil {
			return err
		}
		_, err = s.stdout.Write(append(raw, '\n'))
		return err
	}
	models.Models = []registry.Model{*model}
	if err := printModels(s.stdout, models); err != nil {
		return err
	}
	if model.Metrics == nil {
		_, err := fmt.Fprintf(s.stdout, "epoch %d was not held against another one\n", c.Epoch)
		return err
	}
	var table gate.Table
	if err := json.Unmarshal(model.Metrics, &table); err != nil {
		return fmt.Errorf("model: table of epoch %d: %w", c.Epoch, err)
	}
	fmt.Fprintf(s.stdout, "\nheld against epoch %d, on what was held out of its training:\n", model.Parent)
	return table.Print(s.stdout)
}

func find(models *web.Models, epoch uint32) *registry.Model {
	for i := range models.Models {
		if models.Models[i].Epoch == epoch {
			return &models.Models[i]
		}
	}
	return nil
}

// ask prints what a request is answered with: the models.
func (c *modelDaemon) ask(s *session, method, path string) error {
	models, raw, err := c.models(s, method, path)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err := s.stdout.Write(append(raw, '\n'))
		return err
	}
	return printModels(s.stdout, models)
}

// models is what a request is answered with, and as it was received.
func (c *modelDaemon) models(s *session, method, path string) (*web.Models, []byte, error) {
	if err := s.settle(nil); err != nil {
		return nil, nil, err
	}
	target, err := c.url(path, nil)
	if err != nil {
		return nil, nil, err
	}
	raw, err := request(s, method, target)
	if err != nil {
		return nil, nil, fmt.Errorf("model: %w", err)
	}
	models := new(web.Models)
	if err := json.Unmarshal(raw, models); err != nil {
		return nil, nil, fmt.Errorf("model: %s: not a list of models: %w", path, err)
	}
	return models, raw, nil
}

func request(s *session, method, target string) ([]byte, error) {
	req, err := http.NewRequestWithContext(s.ctx, method, target, nil)
	if err != nil {
		return nil, err
	}
	return ask(&http.Client{Timeout: requestTimeout}, req)
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
