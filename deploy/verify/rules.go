package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"
)

// rules is a file of alerting rules.
type rules struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func readRules(file string) (*rules, error) {
	r := &rules{}
	return r, readYAML(file, r)
}

func readYAML(file string, to any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(data, to); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func (r *rules) all() []rule {
	var out []rule
	for _, g := range r.Groups {
		out = append(out, g.Rules...)
	}
	return out
}

var metricName = regexp.MustCompile(`\b(?:up|(?:kilim|process|go)_[a-z0-9_]+)\b`)

// metrics asks for each metric that the alerts name, whatever its value: an alert
// that speaks of a metric that isn't there never fires.
func (r *rules) metrics() []query {
	var out []query
	for _, rule := range r.all() {
		for _, name := range metricName.FindAllString(rule.Expr, -1) {
			q := query{"alert " + rule.Alert, fmt.Sprintf("count(%s{job=%q})", name, "kilim")}
			if !slices.Contains(out, q) {
				out = append(out, q)
			}
		}
	}
	return out
}
