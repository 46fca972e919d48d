package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

type compose struct {
	Services map[string]struct {
		Image       string
		Restart     string
		Ports       []string
		Volumes     []string
		Environment map[string]string
		Build       *struct{ Context, Dockerfile string }
		DependsOn   any `yaml:"depends_on"`
		Healthcheck any
	}
	Volumes map[string]any
}

// TestCompose checks the compose file as far as that goes without an engine: what
// it mounts, builds and depends on is there, and nothing is open to the network.
func TestCompose(t *testing.T) {
	t.Parallel()
	var c compose
	if err := readYAML(deploy+"/compose.yaml", &c); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kafka", "kilim", "prometheus", "grafana"} {
		if _, ok := c.Services[name]; !ok {
			t.Errorf("no service %s", name)
		}
	}
	for name, s := range c.Services {
		tag := regexp.MustCompile(`:v?\d+\.\d+\.\d+$`)
		if s.Build == nil && !tag.MatchString(s.Image) {
			t.Errorf("%s: image %q is not pinned", name, s.Image)
		}
		if s.Restart != "unless-stopped" {
			t.Errorf("%s: restart %q", name, s.Restart)
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s: port %s is open to the network", name, p)
			}
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			if strings.HasPrefix(from, ".") {
				if _, err := os.Stat(filepath.Join(deploy, from)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			} else if _, ok := c.Volumes[from]; !ok {
				t.Errorf("%s: volume %s is not declared", name, from)
			}
		}
		switch on := s.DependsOn.(type) {
		case []any:
			for _, other := range on {
				if _, ok := c.Services[other.(string)]; !ok {
					t.Errorf("%s: depends on %v", name, other)
				}
			}
		case map[string]any:
			for other := range on {
				if c.Services[other].Healthcheck == nil {
					t.Errorf("%s: waits for the health of %s, which has no check", name, other)
				}
			}
		}
		if s.Build != nil {
			if _, err := os.Stat(filepath.Join(deploy, s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	inside, broker := c.Services["kafka"].Environment["KAFKA_ADVERTISED_LISTENERS"], c.Services["kilim"].Environment["KILIM_BROKER"]
	if broker == "" || !strings.Contains(inside, "://"+broker) {
		t.Errorf("kilim looks for Kafka at %q, which tells clients %q", broker, inside)
	}
}

// TestPrometheusScrapesTheService holds the names of compose.yaml and prometheus.yml together.
func TestPrometheusScrapesTheService(t *testing.T) {
	t.Parallel()
	var config struct {
		ScrapeConfigs []struct {
			JobName       string                       `yaml:"job_name"`
			StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := readYAML(deploy+"/prometheus/prometheus.yml", &config); err != nil {
		t.Fatal(err)
	}
	port := regexp.MustCompile(`KILIM_HTTP=\S+?(:\d+)`).FindStringSubmatch(read(t, deploy+"/Dockerfile"))
	if port == nil {
		t.Fatal("the Dockerfile says no KILIM_HTTP")
	}
	for _, s := range config.ScrapeConfigs {
		if s.JobName == "kilim" && s.StaticConfigs[0].Targets[0] == "kilim"+port[1] {
			return
		}
	}
	t.Errorf("no job kilim that scrapes kilim%s", port[1])
}

// TestYAML refuses what the tools' own parsers let pass: keys given twice, tabs.
func TestYAML(t *testing.T) {
	t.Parallel()
	found := 0
	err := filepath.WalkDir(deploy, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".yml") && !strings.HasSuffix(path, ".yaml") {
			return err
		}
		found++
		var v any
		if err := yaml.UnmarshalWithOptions([]byte(read(t, path)), &v, yaml.Strict()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil || found == 0 {
		t.Errorf("%d files: %v", found, err)
	}
}

// TestImageKnowsItsVersion: the linker says nothing of a variable that isn't there.
func TestImageKnowsItsVersion(t *testing.T) {
	t.Parallel()
	m := regexp.MustCompile(`-X main\.(\w+)=`).FindStringSubmatch(read(t, deploy+"/Dockerfile"))
	if m == nil {
		t.Fatal("the Dockerfile sets no version")
	}
	files, err := filepath.Glob(deploy + "/../daemon/*.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\s*(?:var )?` + m[1] + `\s+(?:=|string)`)
	for _, f := range files {
		if declared.MatchString(read(t, f)) {
			return
		}
	}
	t.Errorf("the Dockerfile sets main.%s, which daemon doesn't declare", m[1])
}
