package main

import (
	"path/filepath"
	"strings"
	"testing"
)

const deploy = ".."

func dashboards(t *testing.T) []*dashboard {
	t.Helper()
	files, err := filepath.Glob(deploy + "/grafana/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("dashboards: %v, %v", files, err)
	}
	var out []*dashboard
	for _, f := range files {
		d, err := readDashboard(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

// TestDashboards checks what Grafana accepts in silence and shows as an empty or overlapped panel.
func TestDashboards(t *testing.T) {
	t.Parallel()
	for _, d := range dashboards(t) {
		if d.UID == "" || d.Title == "" || d.SchemaVersion == 0 {
			t.Errorf("%q: uid, title and schemaVersion are needed", d.Title)
		}
		ids, taken := map[int]string{}, map[[2]int]string{}
		for _, p := range d.all() {
			if other, ok := ids[p.ID]; ok {
				t.Errorf("panels %q and %q have the id %d", other, p.Title, p.ID)
			}
			ids[p.ID] = p.Title
			g := p.GridPos
			if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
				t.Errorf("panel %q: outside of the grid: %+v", p.Title, g)
			}
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					if other, ok := taken[[2]int{x, y}]; ok {
						t.Fatalf("panels %q and %q overlap", other, p.Title)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
			if p.Type == "row" {
				continue
			}
			if p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
				t.Errorf("panel %q: a description, a unit and a query are needed", p.Title)
			}
			for _, q := range p.Targets {
				if q.Datasource.UID != "${datasource}" {
					t.Errorf("panel %q: datasource %q is not the variable", p.Title, q.Datasource.UID)
				}
				if !strings.Contains(q.Expr, `job=~"$job", instance=~"$instance"`) {
					t.Errorf("panel %q: %s: does not follow the variables", p.Title, q.Expr)
				}
			}
		}
	}
}

func TestQueriesHaveNoVariablesLeft(t *testing.T) {
	t.Parallel()
	for _, d := range dashboards(t) {
		for _, q := range d.queries() {
			if strings.Contains(q.expr, "$") {
				t.Errorf("%s: %s", q.where, q.expr)
			}
		}
	}
}

// TestAlerts holds that each says what it is, what to do and on which page of the runbook more is written,
// and has a case that fires and one that doesn't.
func TestAlerts(t *testing.T) {
	t.Parallel()
	r, err := readRules(deploy + "/prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var cases struct {
		Tests []struct {
			AlertRuleTest []struct {
				Alertname string
				ExpAlerts []any `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	if err := readYAML(deploy+"/prometheus/alerts_test.yml", &cases); err != nil {
		t.Fatal(err)
	}
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, c := range cases.Tests {
		for _, a := range c.AlertRuleTest {
			fires[a.Alertname] = fires[a.Alertname] || len(a.ExpAlerts) > 0
			quiet[a.Alertname] = quiet[a.Alertname] || len(a.ExpAlerts) == 0
		}
	}
	list := read(t, deploy+"/../docs/runbook/README.md")
	pages, err := filepath.Glob(deploy + "/../docs/runbook/Kilim*.md")
	if err != nil || len(r.all()) == 0 || len(pages) != len(r.all()) {
		t.Errorf("%d alerts, %d pages of the runbook (%v)", len(r.all()), len(pages), err)
	}
	for _, a := range r.all() {
		for _, key := range []string{"summary", "description", "action"} {
			if a.Annotations[key] == "" {
				t.Errorf("%s: no %s", a.Alert, key)
			}
		}
		if s := a.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s: severity %q", a.Alert, s)
		}
		page := "docs/runbook/" + a.Alert + ".md"
		if text := read(t, filepath.Join(deploy, "..", page)); a.Annotations["runbook"] != page || !strings.HasPrefix(text, "# "+a.Alert+"\n") {
			t.Errorf("%s: runbook %q is not its page, which begins with its name", a.Alert, a.Annotations["runbook"])
		}
		if !strings.Contains(list, "| ["+a.Alert+"]("+a.Alert+".md) | "+a.Labels["severity"]+" | "+a.Annotations["summary"]+" |\n") {
			t.Errorf("%s is not in the runbook's list, with its severity and summary", a.Alert)
		}
		if !fires[a.Alert] || !quiet[a.Alert] {
			t.Errorf("%s: alerts_test.yml has a case that fires: %v, one that doesn't: %v", a.Alert, fires[a.Alert], quiet[a.Alert])
		}
	}
}

func TestData(t *testing.T) {
	t.Parallel()
	for body, ok := range map[string]bool{
		`{"data":{"result":[{"value":[1,"0"]}]}}`:                     true,
		`{"data":{"result":[{"value":[1,"NaN"]},{"value":[1,"3"]}]}}`: true,
		`{"data":{"result":[{"value":[1,"NaN"]}]}}`:                   false,
		`{"data":{"result":[]}}`:                                      false,
	} {
		answer, err := data([]byte(body))
		if err != nil || (answer == "") != ok {
			t.Errorf("%s: %q, %v", body, answer, err)
		}
	}
	if _, err := data([]byte("<html>")); err == nil {
		t.Error("an answer that is not JSON: no error")
	}
}
