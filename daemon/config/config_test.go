package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// grammar is a command line with all settings.
type grammar struct {
	File FileFlag `name:"config"`
	Config
}

// load parses a command line with an environment and a file (none when empty).
func load(t *testing.T, env map[string]string, file string, args ...string) (*Config, *Loader, error) {
	t.Helper()
	if file != "" {
		path := filepath.Join(t.TempDir(), "kilim.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	l := NewLoader(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	g := new(grammar)
	k, err := kong.New(g, kong.Resolvers(l), kong.ValueFormatter(Help()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := k.Parse(args)
	if err != nil {
		t.Fatalf("parse %q: %v", args, err)
	}
	return &g.Config, l, l.Complete(ctx, &g.Config)
}

// others are three values of a field, all valid and none its default.
func others(t *testing.T, f field) [3]string {
	t.Helper()
	if words := f.Tag.Get("oneof"); words != "" {
		var out []string
		for w := range strings.SplitSeq(words, ",") {
			if w != f.Flag.Default && w != "" {
				out = append(out, w)
			}
		}
		return [3]string{out[0], out[1%len(out)], out[2%len(out)]}
	}
	switch f.Target.Interface().(type) {
	case int:
		return [3]string{"7", "8", "9"}
	case float64:
		return [3]string{"0.25", "0.5", "0.75"}
	case Bytes:
		return [3]string{"2MiB", "3MiB", "4097"}
	case bool:
		return [3]string{"true", "true", "true"}
	case time.Duration:
		return [3]string{"7s", "1m30s", "250ms"}
	case List:
		return [3]string{"a", "b,c", "d,e,f"}
	case string, URL:
		return [3]string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"} // is an address, a name and a path
	}
	t.Fatalf("%s: a type without test values: %v", f.Name, f.Target.Type())
	return [3]string{}
}

// nest adds a key to a YAML file in the making.
func nest(into map[string]any, key, value string) {
	parts := strings.Split(key, ".")
	for _, p := range parts[:len(parts)-1] {
		if into[p] == nil {
			into[p] = map[string]any{}
		}
		into = into[p].(map[string]any)
	}
	into[parts[len(parts)-1]] = value
}

// defaults is the configuration that nobody has touched.
func defaults() *Config {
	c := new(Config)
	for _, f := range fields(c) {
		if !f.HasDefault {
			continue
		}
		if err := f.parse(f.Flag.Default, f.Target); err != nil {
			panic(fmt.Sprintf("default of %s: %v", f.Name, err))
		}
	}
	return c
}

func TestEveryKeyIsFlagVariableAndFile(t *testing.T) {
	t.Parallel()
	all := fields(defaults())
	tree, env, flags := map[string]any{}, map[string]string{}, []string{}
	values, unset := map[string][3]string{}, map[string]string{}
	for _, f := range all {
		unset[f.Name] = f.text()
		v := others(t, f)
		values[f.Name] = v
		nest(tree, f.Name, v[0])
		env[Env(f.Name)] = v[1]
		flags = append(flags, "--"+f.Name+"="+v[2])
	}
	b, err := yaml.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	file := string(b)
	for _, step := range []struct {
		name   string
		want   int // index of the value; -1: the default
		source func(key string) string
		env    map[string]string
		file   string
		args   []string
	}{
		{"default", -1, func(string) string { return "default" }, nil, "", nil},
		{"file", 0, func(string) string { return "kilim.yaml:" }, nil, file, nil},
		{"variable", 1, Env, env, "", nil},
		{"variable over file", 1, Env, env, file, nil},
		{"flag", 2, func(string) string { return "flag" }, nil, "", flags},
		{"flag over all", 2, func(string) string { return "flag" }, env, file, flags},
	} {
		t.Run(step.name, func(t *testing.T) {
			t.Parallel()
			// The values contradict each other; here they only have to arrive.
			c, l, _ := load(t, step.env, step.file, step.args...)
			for _, f := range fields(c) {
				want := unset[f.Name]
				if step.want >= 0 {
					want = values[f.Name][step.want]
				}
				if got := f.text(); got != want {
					t.Errorf("%s is %q, want %q", f.Name, got, want)
				}
				if got := l.Source(f.Name); !strings.Contains(got, step.source(f.Name)) {
					t.Errorf("the source of %s is %q, want %q in it", f.Name, got, step.source(f.Name))
				}
			}
		})
	}
}

func TestKeysThatOthersRelyOn(t *testing.T) {
	t.Parallel()
	c := defaults()
	values := map[string]string{}
	for _, f := range fields(c) {
		values[f.Name] = f.text()
	}
	for key, want := range map[string]string{
		"data": "./data", "http": "127.0.0.1:9464", "broker": "embedded://127.0.0.1:9092",
		"kafka.group": "kilim", "kafka.topics.artifacts": "kilim.artifacts", "kafka.topics.similar": "kilim.similar",
		"kafka.topics.dead-letters": "kilim.artifacts.dlq", "kafka.partitions": "1", "kafka.replication": "1",
		"web-config-file": "", "log.level": "info", "log.format": "text",
		"ingest.batch-records": "512", "ingest.max-record-bytes": "1MiB", "ingest.in-flight-bytes": "64MiB",
		"index.engine": "hnsw", "index.m": "16", "index.ef-construction": "200", "index.ef": "96", "index.least-recall": "0.95", "lists.size": "10", "lists.candidates": "200", "lists.tolerance": "0.01", "lists.linger": "500ms",
		"refresh.epsilon": "0.05", "refresh.budget": "256", "refresh.sweep": "0.2",
		"publish.batch": "1000", "publish.compression": "snappy", "publish.transactional-id": "",
		"encoders.text.kind": "builtin", "encoders.image.kind": "builtin", "encoders.audio.kind": "builtin",
		"media.root": "", "media.hosts": "", "media.max-bytes": "64MiB", "media.max-pixels": "50331648", "media.max-memory": "512MiB",
	} {
		if got := values[key]; got != want {
			t.Errorf("%s is %q by default, want %q", key, got, want)
		}
	}
	if err := c.Verify(); err != nil {
		t.Errorf("the default is refused: %v", err)
	}
	for _, f := range fields(c) {
		if f.Help == "" || !strings.HasSuffix(f.Help, ".") {
			t.Errorf("%s: help %q is not a sentence", f.Name, f.Help)
		}
	}
}

func TestAllFaultsAreToldTogether(t *testing.T) {
	t.Parallel()
	env := map[string]string{"KILIM_LISTS_SIZE": "many", "KILIM_LOG_FORMAT": "xml"}
	file := "refresh:\n  epsilon: little\n  bugdet: 5\nkafka:\n  partitions: 0\n  topics: {similar: a b}\n"
	_, _, err := load(t, env, file, "--broker=nowhere", "--ingest.in-flight-bytes=2KiB", "--kafka.sasl.mechanism=plain", "--lists.tolerance=NaN")
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	for _, want := range [][]string{
		{"lists.size", `"many"`, "a whole number", "KILIM_LISTS_SIZE"},
		{"log.format", `"xml"`, "text, json", "KILIM_LOG_FORMAT"},
		{"refresh.epsilon", `"little"`, "a number", "kilim.yaml:2"},
		{"refresh.bugdet", "unknown key", "kilim.yaml:3"},
		{"kafka.partitions", "0", "1 to 10000", "kilim.yaml:5"},
		{"kafka.topics.similar", `"a b"`, "letters", "kilim.yaml:6"},
		{"broker", `"nowhere"`, "host:port", "flag"},
		{"ingest.batch-bytes", "8MiB", "ingest.in-flight-bytes, 2KiB"},
		{"ingest.max-record-bytes", "1MiB", "ingest.in-flight-bytes, 2KiB"},
		{"kafka.sasl.username", "empty", "plain needs one"},
		{"kafka.sasl.password-file", "needs a password", PasswordVariable},
		{"lists.tolerance", "NaN", "flag"},
	} {
		found := slices.ContainsFunc(lines, func(line string) bool {
			return strings.HasPrefix(line, want[0]+":") && !slices.ContainsFunc(want[1:], func(w string) bool { return !strings.Contains(line, w) })
		})
		if !found {
			t.Errorf("no line has all of %q in\n%v", want, err)
		}
	}
	if len(lines) != 12 {
		t.Errorf("%d faults, want 12:\n%v", len(lines), err)
	}
}

func TestFileFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		want []string // all in the error; none: no error
	}{
		"empty":            {"# nothing\n", nil},
		"null leaves":      {"data:\nlog:\n", nil},
		"comment and flow": {"log: {level: debug} # loud\n", nil},
		"unknown at top":   {"\ndatta: x\n", []string{"datta: unknown key", "kilim.yaml:2"}},
		"secret":           {"kafka:\n  sasl:\n    password: hunter2\n", []string{"kafka.sasl.password: unknown key", "kilim.yaml:3"}},
		"section as value": {"kafka: 5\n", []string{`kafka: "5": want a mapping`, "kilim.yaml:1"}},
		"value as section": {"data:\n  dir: x\n", []string{"data.dir: unknown key", "kilim.yaml:2"}},
		"list":             {"data: [a, b]\n", []string{"data: a sequence: want a single value", "kilim.yaml:1"}},
		"no mapping":       {"hello\n", []string{`"hello": want a mapping`}},
		"two documents":    {"data: x\n---\nhttp: y:1\n", []string{"a second document", "kilim.yaml:3"}},
		"twice":            {"kafka.group: a\nkafka: {group: b}\n", []string{"kafka.group: given twice, first in line 1", "kilim.yaml:2"}},
		"syntax":           {"log:\n  level: [\n", []string{"kilim.yaml", "line 2"}},
		"not utf-8":        {"data: \xff\xfe\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := load(t, nil, c.file)
			if (err != nil) != (len(c.want) > 0) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %v lacks %q", err, w)
				}
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells a password: %v", err)
			}
		})
	}
	_, _, err := load(t, map[string]string{FileVariable: "/nowhere/kilim.yaml"}, "")
	if err == nil || !strings.Contains(err.Error(), "/nowhere/kilim.yaml") {
		t.Errorf("a missing file: error %v", err)
	}
}

func TestPrintedConfigurationReadsBackEqual(t *testing.T) {
	t.Parallel()
	c := defaults()
	for _, f := range fields(c) {
		if err := f.parse(others(t, f)[1], f.Target); err != nil {
			t.Fatal(err)
		}
	}
	c.Data = "a: b # \"c\" 'd'\té\\"
	c.Kafka.Group = "yes"
	c.Kafka.TLS.ServerName = "0x10"
	c.Kafka.SASL.Password = "hunter2"
	var out bytes.Buffer
	if err := c.Print(&out, func(string) string { return "somewhere" }); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Error("the password is printed")
	}
	got, _, _ := load(t, map[string]string{PasswordVariable: "hunter2"}, out.String())
	if !reflect.DeepEqual(got, c) {
		t.Errorf("read back\n%+v\nwant\n%+v\nfrom\n%s", got, c, out.String())
	}
	for _, f := range fields(c) {
		if !strings.Contains(out.String(), Env(f.Name)+", now from: somewhere\n") {
			t.Errorf("%s is printed without its variable and source", f.Name)
		}
	}
}

func TestPasswordComesFromItsVariableOnly(t *testing.T) {
	t.Parallel()
	c, _, err := load(t, map[string]string{PasswordVariable: "hunter2"}, "",
		"--broker=k:9092", "--kafka.sasl.mechanism=scram-sha-256", "--kafka.sasl.username=u")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Conn().SASL.Password; got != "hunter2" {
		t.Errorf("password %q", got)
	}
	for _, f := range fields(c) {
		if f.Name == "kafka.sasl.password" {
			t.Error("the password is a flag")
		}
	}
}

// TestDocumentedEncoders loads every example of the encoders' README.
func TestDocumentedEncoders(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(filepath.Join("..", "..", "learner", "encode", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "openai.headers"), []byte("Authorization: Bearer x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, block := range strings.Split(string(doc), "```yaml\n")[1:] {
		file, _, _ := strings.Cut(block, "```")
		cfg, _, err := load(t, nil, strings.NewReplacer("/etc/kilim", dir, "/srv/archive", dir).Replace(file))
		if err != nil {
			t.Errorf("%s\n%v", file, err)
			continue
		}
		for _, e := range []Encoder{cfg.Encoders.Text, cfg.Encoders.Image, cfg.Encoders.Audio} {
			if e.Kind != Builtin {
				kinds = append(kinds, e.Kind)
			}
		}
	}
	if want := []string{"tei", "ollama", "openai", "http", "precomputed"}; !slices.Equal(kinds, want) {
		t.Errorf("examples of %v, want %v", kinds, want)
	}
}
