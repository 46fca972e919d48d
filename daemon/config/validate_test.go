package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kilim/learner/encode/fetch"
	"kilim/learner/encode/remote"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file.pem")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Config)
		key    string // of the one fault; "" for none
		want   string
	}{
		"default":             {func(*Config) {}, "", ""},
		"cluster":             {func(c *Config) { c.Broker = "a:1, b:2" }, "", ""},
		"free ports":          {func(c *Config) { c.HTTP = "[::1]:0"; c.Broker = "embedded://localhost:0" }, "", ""},
		"all topics' bounds":  {func(c *Config) { c.Kafka.Topics.Similar = strings.Repeat("a", 249) }, "", ""},
		"no folder":           {func(c *Config) { c.Data = "" }, "data", "folder"},
		"http without port":   {func(c *Config) { c.HTTP = "localhost" }, "http", `"localhost"`},
		"http port":           {func(c *Config) { c.HTTP = "h:65536" }, "http", "0 to 65535"},
		"web file missing":    {func(c *Config) { c.WebConfigFile = "/nowhere" }, "web-config-file", `"/nowhere"`},
		"no broker":           {func(c *Config) { c.Broker = " , " }, "broker", "host:port"},
		"broker port":         {func(c *Config) { c.Broker = "ok:1,k:0" }, "broker", `"k:0"`},
		"broker without host": {func(c *Config) { c.Broker = ":9092" }, "broker", `":9092"`},
		"broker scheme":       {func(c *Config) { c.Broker = "kafka://h:1" }, "broker", "embedded://"},
		"embedded port":       {func(c *Config) { c.Broker = "embedded://h" }, "broker", "HOST:PORT"},
		"embedded replicas":   {func(c *Config) { c.Kafka.Replication = 3 }, "kafka.replication", "embedded"},
		"embedded tls":        {func(c *Config) { c.Kafka.TLS.Enabled = true }, "kafka.tls.enabled", "embedded"},
		"embedded fencing":    {func(c *Config) { c.Publish.TransactionalID = "kilim" }, "publish.transactional-id", "embedded"},
		"fencing":             {func(c *Config) { c.Broker, c.Publish.TransactionalID = "k:9092", "kilim" }, "", ""},
		"no group":            {func(c *Config) { c.Kafka.Group = "" }, "kafka.group", "name"},
		"same topics":         {func(c *Config) { c.Kafka.Topics.DeadLetters = "kilim.similar" }, "kafka.topics.dead-letters", "kafka.topics.similar"},
		"long topic":          {func(c *Config) { c.Kafka.Topics.Similar = strings.Repeat("a", 250) }, "kafka.topics.similar", "249"},
		"topic of dots":       {func(c *Config) { c.Kafka.Topics.Artifacts = ".." }, "kafka.topics.artifacts", `".."`},
		"ca without tls":      {func(c *Config) { c.Broker = "k:1"; c.Kafka.TLS.CAFile = file }, "kafka.tls.ca-file", "kafka.tls.enabled"},
		"ca is a folder":      {func(c *Config) { c.Broker = "k:1"; c.Kafka.TLS = TLS{Enabled: true, CAFile: dir} }, "kafka.tls.ca-file", "folder"},
		"ca missing":          {func(c *Config) { c.Broker = "k:1"; c.Kafka.TLS = TLS{Enabled: true, CAFile: "/nowhere"} }, "kafka.tls.ca-file", "no such file"},
		"certificate alone":   {func(c *Config) { c.Broker = "k:1"; c.Kafka.TLS = TLS{Enabled: true, CertFile: file} }, "kafka.tls.cert-file", "both"},
		"skip without tls":    {func(c *Config) { c.Kafka.TLS.InsecureSkipVerify = true }, "kafka.tls.insecure-skip-verify", "enabled"},
		"user without sasl":   {func(c *Config) { c.Kafka.SASL.Username = "u" }, "kafka.sasl.mechanism", "plain"},
		"two passwords":       {func(c *Config) { c.Broker = "k:1"; c.Kafka.SASL = SASL{"plain", "u", file, "p"} }, "kafka.sasl.password-file", "not in both"},
		"unknown mechanism":   {func(c *Config) { c.Broker = "k:1"; c.Kafka.SASL = SASL{"gssapi", "u", file, ""} }, "kafka.sasl.mechanism", "scram-sha-512"},
		"level":               {func(c *Config) { c.Log.Level = "loud" }, "log.level", "debug, info, warn, error"},
		"size":                {func(c *Config) { c.Lists.Size = 201; c.Lists.Candidates = 1000 }, "lists.size", "201: want 1 to 200"},
		"linger":              {func(c *Config) { c.Lists.Linger = 10*time.Second + 1 }, "lists.linger", "10.000000001s: want 0s to 10s"},
		"candidates below":    {func(c *Config) { c.Lists.Candidates = 9 }, "lists.candidates", "lists.size, 10"},
		"no stages":           {func(c *Config) { c.Train.Stages = nil }, "train.stages", "NAME:STEPS:RATE"},
		"stages":              {func(c *Config) { c.Train.Stages = List{"heads:10:0.01", "full:20:0.01"} }, "", ""},
		"a queue of 3,000":    {func(c *Config) { c.Train.Queue = 3000 }, "train.queue", "power of two"},
		"temperature":         {func(c *Config) { c.Train.Temperature.Start = 0.5; c.Train.Temperature.Most = 0.2 }, "train.temperature.start", "0.5: want it from"},
		"weights":             {func(c *Config) { c.Lists.Weights.Cosine = 0.5 }, "lists.weights.cosine", "together are 1.15"},
		"other weights":       {func(c *Config) { c.Lists.Weights = Weights{Cosine: 1} }, "", ""},
		"branch weight":       {func(c *Config) { c.Train.Branches = -1 }, "train.branch-weight", "-1"},
		"culture weight":      {func(c *Config) { c.Train.Cultures = 101 }, "train.culture-weight", "101"},
		"held branch":         {func(c *Config) { c.Train.Hold = List{"image", "text"} }, "train.hold", `"text": want record`},
		"large with heads":    {func(c *Config) { c.Model.Preset, c.Model.Heads = "large", 16 }, "", ""},
		"no preset":           {func(c *Config) { c.Model.Preset = "huge" }, "model.preset", "small, default, large"},
		"width and heads":     {func(c *Config) { c.Model.Width, c.Model.Heads = 200, 7 }, "model.width", "200: want a multiple of 8 and of the 7 heads"},
		"three layers":        {func(c *Config) { c.Model.Layers = 3 }, "", ""},
		"four layers":         {func(c *Config) { c.Model.Layers = 4 }, "model.layers", "4: want 2 to 3"},
		"short embeddings":    {func(c *Config) { c.Model.Embedding = 64 }, "", ""},
		"odd embeddings":      {func(c *Config) { c.Model.Embedding = 100 }, "model.embedding", "100: want a multiple of 8"},
		"two heads":           {func(c *Config) { c.Model.Heads = 2 }, "model.heads", "2: want 4 or more"},
		"fusion":              {func(c *Config) { c.Model.Fusion = "sum" }, "model.fusion", "attention, mlp, transformer"},
		"attention":           {func(c *Config) { c.Model.Aggregator = "attention" }, "", ""},
		"aggregator":          {func(c *Config) { c.Model.Aggregator = "max" }, "model.aggregator", "mean, attention"},
		"media":               {func(c *Config) { c.Model.Media = "neighbours" }, "model.media", "features, nodes"},
		"unknown stage":       {func(c *Config) { c.Train.Stages = List{"heads:10:0.01", "all:20:0.01"} }, "train.stages", `"all"`},
		"text for a stage":    {func(c *Config) { c.Train.Stages = List{"full"} }, "train.stages", `"full"`},
		"epsilon below 0":     {func(c *Config) { c.Refresh.Epsilon = -0.1 }, "refresh.epsilon", "-0.1: want 0 to 10"},
		"record over bound":   {func(c *Config) { c.Ingest.MaxRecordBytes = 16 << 20 }, "ingest.max-record-bytes", "16MiB: want 1KiB to 15MiB"},
		"server":              {func(c *Config) { c.Encoders.Text = served("openai", "https://e:1/v1/embeddings") }, "", ""},
		"server of images":    {func(c *Config) { c.Encoders.Image = served("http", "http://e") }, "", ""},
		"precomputed": {func(c *Config) {
			c.Encoders.Audio.Kind, c.Encoders.Audio.Model, c.Encoders.Audio.Dimension = "precomputed", "clap", 512
		}, "", ""},
		"no vectors":              {func(c *Config) { c.Encoders.Image.Kind = "none" }, "", ""},
		"roots and hosts":         {func(c *Config) { c.Media.Root, c.Media.Hosts = List{dir}, List{"a.org", "*.b.org", "c.org:81"} }, "", ""},
		"unknown encoder":         {func(c *Config) { c.Encoders.Text.Kind = "sbert" }, "encoders.text.kind", "builtin, openai, tei"},
		"server for images":       {func(c *Config) { c.Encoders.Image = served("tei", "http://e") }, "encoders.image.kind", "takes text"},
		"no address":              {func(c *Config) { c.Encoders.Text = served("tei", "") }, "encoders.text.url", "http://"},
		"dimension unknown":       {func(c *Config) { c.Encoders.Text = served("tei", "http://e"); c.Encoders.Text.Dimension = 0 }, "encoders.text.dimension", "0: want 1 or more"},
		"batch of none":           {func(c *Config) { c.Encoders.Text = served("tei", "http://e"); c.Encoders.Text.Batch = 0 }, "encoders.text.batch", "0: want 1 to 2048"},
		"hasty timeout":           {func(c *Config) { c.Encoders.Text.Timeout = time.Millisecond }, "encoders.text.timeout", "1ms: want 10ms to 1h"},
		"spellings missing":       {func(c *Config) { c.Encoders.Text.Spellings = "/nowhere" }, "encoders.text.spellings", "no such file"},
		"spellings that are none": {func(c *Config) { c.Encoders.Text.Spellings = "validate_test.go" }, "encoders.text.spellings", `"validate_test.go": text: spellings: line 1, field 1, "package config": want "kilim-spellings 1"`},
		"spellings of pictures":   {func(c *Config) { c.Encoders.Image.Spellings = "/nowhere" }, "encoders.image.spellings", "is for text only"},
		"header file missing":     {func(c *Config) { c.Encoders.Text = served("tei", "http://e"); c.Encoders.Text.HeaderFile = "/nowhere" }, "encoders.text.header-file", "no such file"},
		"address of none":         {func(c *Config) { c.Encoders.Text.URL = "http://e" }, "encoders.text.url", "encoders.text.kind is builtin"},
		"model of none":           {func(c *Config) { c.Encoders.Text.Model = "m" }, "encoders.text.model", "encoders.text.kind is builtin"},
		"precomputed by whom":     {func(c *Config) { c.Encoders.Text.Kind, c.Encoders.Text.Dimension = "precomputed", 300 }, "encoders.text.model", "media[].encoder"},
		"no text":                 {func(c *Config) { c.Encoders.Text.Kind = "none" }, "encoders.text.kind", "is for image and audio"},
		"two of one name": {func(c *Config) {
			c.Encoders.Text, c.Encoders.Audio = served("tei", "http://e"), served("http", "http://e")
			c.Encoders.Audio.Dimension = 9
		}, "encoders.audio.model", "encoders.text too"},
		"one name": {func(c *Config) {
			c.Encoders.Text, c.Encoders.Audio = served("tei", "http://e"), served("http", "http://e")
		}, "", ""},
		"no pictures":          {func(c *Config) { c.Encoders.Image.Kind = "none" }, "", ""},
		"short text":           {func(c *Config) { c.Encoders.Text = served("tei", "http://e"); c.Encoders.Text.Dimension = 3 }, "encoders.text.dimension", "3: want 4 or more"},
		"odd text":             {func(c *Config) { c.Encoders.Text = served("tei", "http://e"); c.Encoders.Text.Dimension = 50 }, "", ""},
		"precomputed length":   {func(c *Config) { c.Encoders.Text.Kind, c.Encoders.Text.Model = "precomputed", "m" }, "encoders.text.dimension", "0: want"},
		"root missing":         {func(c *Config) { c.Media.Root = List{dir, "/nowhere"} }, "media.root", `"/nowhere": no such file`},
		"root is a file":       {func(c *Config) { c.Media.Root = List{file} }, "media.root", "not a folder"},
		"root is everything":   {func(c *Config) { c.Media.Root = List{"/"} }, "media.root", "whole file system"},
		"names of the server":  {func(c *Config) { c.HTTPHosts = List{"archive.example.org", "kilim"} }, "", ""},
		"name with a port":     {func(c *Config) { c.HTTPHosts = List{"kilim", "kilim:9464"} }, "http-hosts", `"kilim:9464": want a name`},
		"name of all":          {func(c *Config) { c.HTTPHosts = List{"*"} }, "http-hosts", `"*"`},
		"printed address":      {func(c *Config) { c.Encoders.Text = served("tei", "http://e?key=***") }, "encoders.text.url", "without its secrets"},
		"little memory":        {func(c *Config) { c.Memory.Limit = 511 << 20 }, "memory.limit", "511 MiB: want 512 MiB at least"},
		"least memory":         {func(c *Config) { c.Memory.Limit = 512 << 20 }, "", ""},
		"half of the machine":  {func(c *Config) { c.Memory.Limit = 0 }, "", ""},
		"host with scheme":     {func(c *Config) { c.Media.Hosts = List{"http://a.org"} }, "media.hosts", `"http://a.org": want a name`},
		"batch over in flight": {func(c *Config) { c.Ingest.BatchBytes = 65 << 20 }, "ingest.batch-bytes", "65MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conf := defaults()
			c.change(conf)
			err := conf.Verify()
			if c.key == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var fault *Fault
			if !errors.As(err, &fault) {
				t.Fatalf("error %v is not a fault", err)
			}
			if fault.Key != c.key || !strings.Contains(fault.Detail, c.want) {
				t.Errorf("fault %v, want %q at %s", fault, c.want, c.key)
			}
			if n := strings.Count(err.Error(), "\n"); n != 0 {
				t.Errorf("more than one fault: %v", err)
			}
		})
	}
}

func served(kind string, url URL) Encoder {
	e := defaults().Encoders.Text
	e.Kind, e.URL, e.Model, e.Dimension = kind, url, "m", 384
	return e
}

// Nothing that was configured is lost on the way to those who use it.
func TestEncoderSettingsArrive(t *testing.T) {
	t.Parallel()
	e := served("http", "https://e")
	e.Version, e.Timeout, e.Batch, e.Concurrency, e.HeaderFile = 2, 3*time.Second, 4, 5, "h"
	e.TLS = EncoderTLS{"ca", "c", "k"}
	want := remote.Config{
		Kind: "http", Modality: "image", URL: "https://e", Model: "m", Version: 2, Dim: 384,
		Timeout: 3 * time.Second, Batch: 4, Concurrency: 5, HeaderFile: "h", TLS: remote.TLS{CAFile: "ca", CertFile: "c", KeyFile: "k"},
	}
	if got := e.Remote("image"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := e.Precomputed(); got != want.Identity() {
		t.Errorf("identity %v, want %v", got, want.Identity())
	}
	for _, kind := range remote.Kinds() {
		if e.Kind = kind; !e.Server() {
			t.Errorf("%s is not a server", kind)
		}
	}
	for _, kind := range []string{Builtin, Precomputed, None} {
		if e.Kind = kind; e.Server() {
			t.Errorf("%s is a server", kind)
		}
	}
}

func TestMediaSettingsArrive(t *testing.T) {
	t.Parallel()
	c, _, err := load(t, nil, "media: {max-bytes: 1MiB, timeout: 5s}\n", "--media-root=.", "--media.root", "..", "--media.hosts=a.org, b.org:81")
	if err != nil {
		t.Fatal(err)
	}
	want := fetch.Config{Roots: []string{".", ".."}, Hosts: []string{"a.org", "b.org:81"}, MaxBytes: 1 << 20, Timeout: 5 * time.Second, UserAgent: "kilim/1"}
	if got := c.Media.Fetch("kilim/1"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestListInTheFile(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]List{
		"media: {hosts: 'a.org, b.org'}\n":             {"a.org", "b.org"},
		"media:\n  hosts:\n    - a.org\n    - b.org\n": {"a.org", "b.org"},
		"media: {hosts: []}\n":                         nil,
		"media: {hosts: ''}\n":                         nil,
	} {
		c, _, err := load(t, nil, file)
		if err != nil || !slices.Equal(c.Media.Hosts, want) {
			t.Errorf("%q: %v (%v), want %v", file, c.Media.Hosts, err, want)
		}
	}
	for _, file := range []string{"media:\n  hosts: ['a,b']\n", "media:\n  hosts: [[a]]\n", "media:\n  hosts: [5]\n"} {
		if _, _, err := load(t, nil, file); err == nil || !strings.Contains(err.Error(), "want a text without a comma (from") {
			t.Errorf("%q: error %v", file, err)
		}
	}
}

func TestBrokers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"embedded://127.0.0.1:9092": {"127.0.0.1:9092"},
		"a:1, b:2,":                 {"a:1", "b:2"},
		"a:1":                       {"a:1"},
	} {
		c := Client{Broker: text}
		if got := c.Brokers(); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if _, ok := c.Embedded(); ok != strings.HasPrefix(text, "embedded") {
			t.Errorf("%q: embedded is %v", text, ok)
		}
	}
}

func TestConnIsWhatKafkaconnAccepts(t *testing.T) {
	t.Parallel()
	c := defaults()
	if err := c.Conn().Validate(); err != nil {
		t.Errorf("the embedded broker: %v", err)
	}
	c.Broker = "k:9093"
	c.Kafka.TLS = TLS{Enabled: true, CAFile: "ca", CertFile: "c", KeyFile: "k", ServerName: "n", InsecureSkipVerify: true}
	c.Kafka.SASL = SASL{Mechanism: "scram-sha-512", Username: "u", PasswordFile: "f"}
	if err := c.Conn().Validate(); err != nil {
		t.Errorf("TLS and SASL: %v", err)
	}
	got := c.Conn()
	if got.TLS.CAFile != "ca" || got.TLS.CertFile != "c" || got.TLS.KeyFile != "k" || got.TLS.ServerName != "n" || !got.TLS.InsecureSkipVerify || got.SASL.PasswordFile != "f" {
		t.Errorf("settings are lost on the way: %+v", got)
	}
}

func TestTopicSpecs(t *testing.T) {
	t.Parallel()
	c := defaults()
	c.Kafka.Partitions, c.Kafka.Replication = 6, 3
	specs := c.Kafka.TopicSpecs()
	var names []string
	for _, s := range specs {
		names = append(names, s.Name)
		if s.Partitions != 6 || s.Replication != 3 {
			t.Errorf("%s: %+v", s.Name, s)
		}
	}
	if want := []string{"kilim.artifacts", "kilim.similar", "kilim.cultures", "kilim.artifacts.dlq", "kilim.judgments", "kilim.queries", "kilim.queries.similar"}; !slices.Equal(names, want) {
		t.Errorf("topics %q, want %q", names, want)
	}
	for _, i := range []int{1, 2, 4, 5, 6} {
		if specs[i].Config["cleanup.policy"] != "compact" {
			t.Errorf("topic %s is not compacted", specs[i].Name)
		}
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Bytes{"0": 0, "1": 1, "65536": 64 << 10, "64KiB": 64 << 10, "8 MiB": 8 << 20, "1GB": 1e9, "1.5KiB": 1536} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want {
			t.Errorf("%q is %d (%v), want %d", text, b, err, want)
		}
		var again Bytes
		if err := again.UnmarshalText([]byte(b.String())); err != nil || again != b {
			t.Errorf("%q is written %q and read back as %d (%v)", text, b, again, err)
		}
	}
	for _, text := range []string{"", "x", "-1", "5 apples", "99999999EiB", "NaN"} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %d", text, b)
		}
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	c := defaults()
	c.Kafka.SASL.Password = "hunter2"
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "password", c.Kafka.SASL.Password)
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(c.Kafka.SASL), fmt.Sprintf("%v %+v %#v %s %q", c, c, c, c.Kafka.SASL.Password, c.Kafka.SASL.Password), log.String(), string(b)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("the password is in %s", text)
		}
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"debug", "info", "warn", "error"} {
		var out strings.Builder
		log := (&Log{Level: level, Format: "json"}).New(&out)
		log.Debug("debug")
		log.Info("info")
		log.Warn("warn")
		log.Error("error")
		first, _, _ := strings.Cut(out.String(), "\n")
		var line struct{ Msg string }
		if err := json.Unmarshal([]byte(first), &line); err != nil || line.Msg != level {
			t.Errorf("level %s: the first line is %s (%v)", level, first, err)
		}
	}
}

// TestFollow: what two daemons would do differently is refused, all of it at once.
func TestFollow(t *testing.T) {
	t.Parallel()
	c := defaults()
	c.Publish.Follow, c.Demo.Artifacts = true, 5
	err := c.Verify()
	for _, key := range []string{"publish.transactional-id", "train.share", "themes.works", "rank.least", "demo.artifacts"} {
		if err == nil || !strings.Contains(err.Error(), key+": ") {
			t.Errorf("%s is not refused: %v", key, err)
		}
	}
	c.Broker, c.Publish.TransactionalID, c.Train.Share, c.Themes.Works, c.Rank.Least, c.Demo.Artifacts = "k:9092", "kilim", 0, 0, 0, 0
	if err := c.Verify(); err != nil {
		t.Error(err)
	}
}
