package config

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"

	"kilim/daemon/memory"
)

// Fault is one thing that is wrong with a configuration.
type Fault struct {
	Key    string
	Detail string // with the value and what is allowed
	Source string // where the value came from; empty when not known
}

func (f *Fault) Error() string {
	if f.Source == "" {
		return f.Key + ": " + f.Detail
	}
	return fmt.Sprintf("%s: %s (from %s)", f.Key, f.Detail, f.Source)
}

func faultf(key, format string, args ...any) *Fault {
	return &Fault{Key: key, Detail: fmt.Sprintf(format, args...)}
}

// Section is a part of the configuration that a command uses: *Config, *State or *Client.
type Section interface {
	// check looks for contradictions; ranges are checked by the tags.
	check() []*Fault
}

// Verify returns all faults in one error (each one a *Fault), or nil. It reads the
// files that are named, but connects to nothing. (It is not called Validate because kong
// would call it before the sources are known.)
func (c *Config) Verify() error { return join(validate(c)) }

func join(faults []*Fault) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

func validate(s Section) []*Fault {
	var faults []*Fault
	outOfRange := map[string]bool{}
	for _, f := range fields(s) {
		if fault := f.checkTags(); fault != nil {
			faults = append(faults, fault)
			outOfRange[f.Name] = true
		}
	}
	for _, fault := range s.check() {
		if !outOfRange[fault.Key] { // else checkTags has told of it
			faults = append(faults, fault)
		}
	}
	return faults
}

// checkTags checks a value by its field's min, max and oneof.
func (f field) checkTags() *Fault {
	if words := f.Tag.Get("oneof"); words != "" {
		allowed := strings.Split(words, ",")
		if !slices.Contains(allowed, f.text()) {
			return faultf(f.Name, "%q: want %s", f.text(), orList(allowed))
		}
	}
	switch v := f.Target.Interface().(type) {
	case int:
		return checkRange(f, v)
	case float64:
		if math.IsNaN(v) {
			return faultf(f.Name, "NaN: want a number")
		}
		return checkRange(f, v)
	case Bytes:
		return checkRange(f, v)
	case time.Duration:
		return checkRange(f, v)
	}
	return nil
}

func checkRange[T cmp.Ordered](f field, v T) *Fault {
	low, high := f.Tag.Get("min"), f.Tag.Get("max")
	if low != "" && v < bound[T](f, low) || high != "" && v > bound[T](f, high) {
		return faultf(f.Name, "%v: want %s to %s", v, low, high)
	}
	return nil
}

func bound[T any](f field, text string) T {
	var v T
	if err := f.parse(text, reflect.ValueOf(&v).Elem()); err != nil {
		panic(fmt.Sprintf("config: bound %q of %s: %v", text, f.Name, err))
	}
	return v
}

func orList(words []string) string {
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		if w != "" {
			quoted = append(quoted, w)
		}
	}
	out := strings.Join(quoted, ", ")
	if len(quoted) < len(words) {
		out += " or nothing"
	}
	return out
}

func (c *Config) check() []*Fault { return append(c.State.check(), c.Listen.check()...) }

func (c *Listen) check() (faults []*Fault) {
	if err := checkListen(c.HTTP); err != nil {
		faults = append(faults, faultf("http", "%q: %v", c.HTTP, err))
	}
	if c.WebConfigFile != "" {
		if err := toolkit.Validate(c.WebConfigFile); err != nil {
			faults = append(faults, faultf("web-config-file", "%q: %v", c.WebConfigFile, err))
		}
	}
	for _, host := range c.HTTPHosts {
		if !legalHost(host) {
			faults = append(faults, faultf("http-hosts", "%q: want a name such as archive.example.org, without a port", host))
		}
	}
	return faults
}

func (c *State) check() []*Fault {
	faults := c.Client.check()
	add := func(key, format string, args ...any) { faults = append(faults, faultf(key, format, args...)) }
	if _, embedded := c.Embedded(); embedded && c.Publish.TransactionalID != "" {
		add("publish.transactional-id", "%q: not with the embedded broker, which ends with its daemon: nobody could publish after it", c.Publish.TransactionalID)
	}
	if c.Publish.Follow {
		faults = append(faults, c.checkFollow()...)
	}
	if c.Data == "" {
		add("data", "empty: want the path of a folder")
	}
	if c.Ingest.BatchBytes > c.Ingest.InFlightBytes {
		add("ingest.batch-bytes", "%v: want at most ingest.in-flight-bytes, %v", c.Ingest.BatchBytes, c.Ingest.InFlightBytes)
	}
	if c.Ingest.MaxRecordBytes > c.Ingest.InFlightBytes {
		add("ingest.max-record-bytes", "%v: want at most ingest.in-flight-bytes, %v", c.Ingest.MaxRecordBytes, c.Ingest.InFlightBytes)
	}
	if c.Lists.Candidates < c.Lists.Size {
		add("lists.candidates", "%d: want at least lists.size, %d", c.Lists.Candidates, c.Lists.Size)
	}
	if c.Memory.Limit != 0 {
		if err := memory.Check(int64(c.Memory.Limit)); err != nil {
			add("memory.limit", "%v, or 0 for half of the machine's", err)
		}
	}
	faults = append(faults, c.Lists.Weights.check()...)
	faults = append(faults, c.Model.check()...)
	faults = append(faults, c.Train.check()...)
	faults = append(faults, c.Themes.check()...)
	faults = append(faults, c.Rank.check()...)
	faults = append(faults, c.Encoders.check()...)
	return append(faults, c.Media.check()...)
}

// checkFollow refuses what two daemons would do differently, or twice.
func (c *State) checkFollow() (faults []*Fault) {
	add := func(key, format string, args ...any) { faults = append(faults, faultf(key, format, args...)) }
	if c.Publish.TransactionalID == "" {
		add("publish.transactional-id", "empty: publish.follow wants one, the same for both daemons")
	}
	if c.Train.Share > 0 {
		add("train.share", "%v: want 0 with publish.follow, for a model is not shared between two daemons", c.Train.Share)
	}
	if c.Themes.Works > 0 {
		add("themes.works", "%d: want 0 with publish.follow, for themes are not shared between two daemons", c.Themes.Works)
	}
	if c.Rank.Least > 0 {
		add("rank.least", "%d: want 0 with publish.follow, for a learned order is not shared between two daemons", c.Rank.Least)
	}
	if c.Demo.Artifacts > 0 {
		add("demo.artifacts", "%d: want 0 with publish.follow, for both daemons would feed it", c.Demo.Artifacts)
	}
	return faults
}

func (c *Client) check() []*Fault {
	var faults []*Fault
	add := func(key, format string, args ...any) { faults = append(faults, faultf(key, format, args...)) }
	addr, embedded := c.Embedded()
	switch {
	case embedded:
		if err := checkListen(addr); err != nil {
			add("broker", "%q: %v after %s", c.Broker, err, embeddedScheme)
		}
		if c.Kafka.TLS.Enabled {
			add("kafka.tls.enabled", "true: the embedded broker has no TLS")
		}
		if c.Kafka.SASL.Mechanism != "" {
			add("kafka.sasl.mechanism", "%q: the embedded broker has no authentication", c.Kafka.SASL.Mechanism)
		}
		if c.Kafka.Replication > 1 {
			add("kafka.replication", "%d: the embedded broker is only one, want 1", c.Kafka.Replication)
		}
	case strings.Contains(c.Broker, "://"):
		add("broker", "%q: want host:port,host:port or %sHOST:PORT", c.Broker, embeddedScheme)
	default:
		faults = append(faults, c.checkBrokers()...)
	}
	faults = append(faults, c.Kafka.check()...)
	return faults
}

func (c *Client) checkBrokers() []*Fault {
	brokers := c.Brokers()
	if len(brokers) == 0 {
		return []*Fault{faultf("broker", "%q: want host:port,host:port or %sHOST:PORT", c.Broker, embeddedScheme)}
	}
	var faults []*Fault
	for _, b := range brokers {
		if host, port, err := splitAddress(b); err != nil || host == "" || port == 0 {
			faults = append(faults, faultf("broker", "%q: want host:port with a port from 1 to 65535", b))
		}
	}
	return faults
}

func checkListen(addr string) error {
	if _, _, err := splitAddress(addr); err != nil {
		return errors.New("want HOST:PORT with a port from 0 to 65535")
	}
	return nil
}

func splitAddress(addr string) (host string, port uint64, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.ParseUint(text, 10, 16)
	return host, port, err
}

func (k *Kafka) check() []*Fault {
	var faults []*Fault
	add := func(key, format string, args ...any) { faults = append(faults, faultf(key, format, args...)) }
	if k.Group == "" {
		add("kafka.group", "empty: want a name")
	}
	seen := map[string]string{}
	for _, t := range []struct{ key, name string }{
		{"kafka.topics.artifacts", k.Topics.Artifacts},
		{"kafka.topics.similar", k.Topics.Similar},
		{"kafka.topics.cultures", k.Topics.Cultures},
		{"kafka.topics.dead-letters", k.Topics.DeadLetters},
		{"kafka.topics.owner", k.Topics.Owner},
		{"kafka.topics.judgments", k.Topics.Judgments},
		{"kafka.topics.queries", k.Topics.Queries},
		{"kafka.topics.query-lists", k.Topics.QueryLists},
	} {
		if !legalTopic(t.name) {
			add(t.key, "%q: want 1 to 249 letters, digits, dots, underscores and hyphens", t.name)
		} else if other, twice := seen[t.name]; twice {
			add(t.key, "%q: is that of %s too, want different topics", t.name, other)
		}
		seen[t.name] = t.key
	}
	return append(append(faults, k.TLS.check()...), k.SASL.check()...)
}

func legalHost(name string) bool {
	return name != "" && !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".") && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-')
	})
}

// legalTopic is Kafka's own rule (org.apache.kafka.common.internals.Topic).
func legalTopic(name string) bool {
	if name == "" || len(name) > 249 || name == "." || name == ".." {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-')
	})
}

func (t *TLS) check() []*Fault {
	var faults []*Fault
	for _, f := range []struct{ key, path string }{
		{"kafka.tls.ca-file", t.CAFile}, {"kafka.tls.cert-file", t.CertFile}, {"kafka.tls.key-file", t.KeyFile},
	} {
		faults = append(faults, checkFile(f.key, f.path)...)
		if f.path != "" && !t.Enabled {
			// Someone who gives a certificate believes that the wire is encrypted.
			faults = append(faults, faultf(f.key, "%q: is given and kafka.tls.enabled is not", f.path))
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		faults = append(faults, faultf("kafka.tls.cert-file", "%q with kafka.tls.key-file %q: give both or none", t.CertFile, t.KeyFile))
	}
	if !t.Enabled && t.ServerName != "" {
		faults = append(faults, faultf("kafka.tls.server-name", "%q: is given and kafka.tls.enabled is not", t.ServerName))
	}
	if !t.Enabled && t.InsecureSkipVerify {
		faults = append(faults, faultf("kafka.tls.insecure-skip-verify", "true: is given and kafka.tls.enabled is not"))
	}
	return faults
}

func (s *SASL) check() []*Fault {
	faults := checkFile("kafka.sasl.password-file", s.PasswordFile)
	add := func(key, format string, args ...any) { faults = append(faults, faultf(key, format, args...)) }
	if s.Mechanism == "" {
		if s.Username != "" || s.PasswordFile != "" || s.Password != "" {
			add("kafka.sasl.mechanism", "empty: a user name or password is given, want plain, scram-sha-256 or scram-sha-512")
		}
		return faults
	}
	if s.Username == "" {
		add("kafka.sasl.username", "empty: %s needs one", s.Mechanism)
	}
	if (s.PasswordFile == "") == (s.Password == "") {
		add("kafka.sasl.password-file", "%q: %s needs a password, in this file or in %s, not in both", s.PasswordFile, s.Mechanism, PasswordVariable)
	}
	return faults
}

func checkFile(key, path string) []*Fault {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return []*Fault{faultf(key, "%q: %v", path, errors.Unwrap(err))}
	case info.IsDir():
		return []*Fault{faultf(key, "%q: is a folder, want a file", path)}
	}
	return nil
}
