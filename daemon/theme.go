package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"kilim/daemon/web"
)

// themeCommand are the commands about themes; without a name, their list.
type themeCommand struct {
	List themeListCommand `cmd:"" default:"withargs" help:"List the themes: those that have lists, and what the others wait for."`
	Add  themeAddCommand  `cmd:"" help:"Have a theme learned, however few labels there are."`
}

// themeDaemon is the daemon that a command about themes asks.
type themeDaemon struct {
	address
	JSON bool `name:"json" help:"Print the daemon's answer as it is."`
}

type themeListCommand struct{ themeDaemon }

// Run prints the themes.
func (c *themeListCommand) Run(s *session) error { return c.ask(s, http.MethodGet, nil) }

type themeAddCommand struct {
	Name string   `arg:"" help:"Name of the theme."`
	Weak []string `placeholder:"FIELD" help:"Fields of the record, such as technique,material, whose terms stand in for the labels of artifacts that have none."`
	themeDaemon
}

// Run declares the theme, and prints the themes.
func (c *themeAddCommand) Run(s *session) error {
	body, err := json.Marshal(map[string]any{"name": c.Name, "weak": c.Weak})
	if err != nil {
		return fmt.Errorf("theme: %w", err)
	}
	return c.ask(s, http.MethodPost, body)
}

// ask prints what a request is answered with: the themes.
func (c *themeDaemon) ask(s *session, method string, body []byte) error {
	if err := s.settle(nil); err != nil {
		return err
	}
	target, err := c.url("/api/v1/themes", nil)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(s.ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("theme: %w", err)
	}
	raw, err := ask(&http.Client{Timeout: requestTimeout}, req)
	if err != nil {
		return fmt.Errorf("theme: %w", err)
	}
	if c.JSON {
		_, err := s.stdout.Write(append(raw, '\n'))
		return err
	}
	t := new(web.Themes)
	if err := json.Unmarshal(raw, t); err != nil {
		return fmt.Errorf("theme: %s: not a list of themes: %w", req.URL.Redacted(), err)
	}
	return printThemes(s.stdout, t)
}

func printThemes(w io.Writer, t *web.Themes) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "THEME\tSTATE\tARTIFACTS WITH LABELS\tTERMS\tDECLARED")
	for _, theme := range t.Themes {
		declared := "-"
		if theme.Declared {
			declared = "yes"
		}
		if len(theme.Weak) > 0 {
			declared = "labels also by " + strings.Join(theme.Weak, ", ")
		}
		fmt.Fprintf(out, "%s\t%s\t%d\t%d\t%s\n", theme.Name, theme.State, theme.Labelled, theme.Terms, declared)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	for _, theme := range t.Themes {
		if theme.Fault != "" {
			fmt.Fprintf(w, "%s is not stored or published: %s\n", theme.Name, theme.Fault)
		}
	}
	_, err := fmt.Fprintf(w, "%s\n", themesLine(&t.ThemesStatus))
	return err
}

// themesLine says where the learning of themes stands.
func themesLine(s *web.ThemesStatus) string {
	text := "none served"
	if s.Served > 0 {
		age := time.Duration(s.Age * float64(time.Second)).Round(time.Second)
		text = fmt.Sprintf("%d served, among %d artifacts, by a model made %v ago", s.Served, s.Profiles, age)
	}
	if s.Waiting > 0 {
		text += fmt.Sprintf("; %d artifacts have changed since", s.Waiting)
	}
	if s.Due > 0 {
		text += fmt.Sprintf("; the published lists of %d are made anew", s.Due)
	}
	if s.Phase != "idle" {
		text += fmt.Sprintf("; %s, %.0f %%", s.Phase, 100*s.Ratio)
	}
	return text
}
