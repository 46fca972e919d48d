package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// query is an expression and the place where it is written.
type query struct{ where, expr string }

// dashboard is what verify needs of Grafana's dashboard JSON.
type dashboard struct {
	UID           string
	Title         string
	SchemaVersion int
	Panels        []panel
	Templating    struct{ List []variable }
	Annotations   struct{ List []annotation }
}

type panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	Datasource  datasource
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct{ Defaults struct{ Unit string } }
	Targets     []struct {
		RefID      string
		Expr       string
		Datasource datasource
	}
	Panels []panel
}

type datasource struct{ Type, UID string }

// variable has a Query that is a string or an object, by type.
type variable struct {
	Name, Type, Definition string
}

type annotation struct{ Name, Expr string }

func readDashboard(file string) (*dashboard, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	d := &dashboard{}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}

// all returns the panels, those inside of rows too.
func (d *dashboard) all() []panel {
	var out []panel
	var walk func([]panel)
	walk = func(panels []panel) {
		for _, p := range panels {
			out = append(out, p)
			walk(p.Panels)
		}
	}
	walk(d.Panels)
	return out
}

// queries returns all that the dashboard asks, with its variables filled in as
// Grafana does when "All" is chosen.
func (d *dashboard) queries() []query {
	var out []query
	add := func(where, expr string) { out = append(out, query{d.Title + ": " + where, expand(expr)}) }
	for _, p := range d.all() {
		for _, t := range p.Targets {
			add(fmt.Sprintf("panel %q, query %s", p.Title, t.RefID), t.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if m := labelValues.FindStringSubmatch(v.Definition); m != nil {
			add("variable "+v.Name, fmt.Sprintf("count by (%s) (%s)", m[2], m[1]))
		}
	}
	for _, a := range d.Annotations.List {
		// It marks the moments at which its condition holds; that it is asked of
		// something there is shows without the condition.
		add("annotation "+a.Name, strings.TrimSuffix(a.Expr, " > 0"))
	}
	return out
}

var labelValues = regexp.MustCompile(`^label_values\((.+),\s*(\w+)\)$`)

// rateInterval is many of the scrapes that startPrometheus asks for.
const rateInterval = "20s"

func expand(expr string) string {
	return strings.NewReplacer(
		"$__rate_interval", rateInterval,
		"$__interval", rateInterval,
		"$job", ".*",
		"$instance", ".*",
	).Replace(expr)
}
