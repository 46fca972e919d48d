package kafkaconn

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNewNamesEveryFaultOfTheSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.pem")
	write(t, garbage, "not PEM")
	empty := filepath.Join(dir, "empty")
	write(t, empty, "\n")
	ok := []string{"127.0.0.1:9092"}
	for name, c := range map[string]struct {
		cfg  Config
		want []string
	}{
		"nothing":         {Config{}, []string{"kafka brokers: none"}},
		"no port":         {Config{Brokers: []string{"kafka"}}, []string{`kafka broker "kafka": not of the form host:port`}},
		"no host":         {Config{Brokers: []string{":9092"}}, []string{`":9092": no host`}},
		"bad port":        {Config{Brokers: []string{"a:0", "b:http"}}, []string{`"a:0": port "0"`, `"b:http": port "http"`}},
		"start timeout":   {Config{Brokers: ok, StartTimeout: -1}, []string{"start timeout -1ns"}},
		"half a pair":     {Config{Brokers: ok, TLS: TLS{Enabled: true, CertFile: "c.pem"}}, []string{"kafka.tls.cert-file", "kafka.tls.key-file"}},
		"tls off, CA":     {Config{Brokers: ok, TLS: TLS{CAFile: "ca.pem"}}, []string{"kafka.tls.ca-file is set but kafka.tls.enabled is not"}},
		"tls off, skip":   {Config{Brokers: ok, TLS: TLS{InsecureSkipVerify: true}}, []string{"kafka.tls.insecure-skip-verify"}},
		"no CA file":      {Config{Brokers: ok, TLS: TLS{Enabled: true, CAFile: filepath.Join(dir, "absent")}}, []string{"kafka.tls.ca-file", "absent"}},
		"CA not PEM":      {Config{Brokers: ok, TLS: TLS{Enabled: true, CAFile: garbage}}, []string{"kafka.tls.ca-file", "garbage.pem", "no PEM certificate"}},
		"pair not PEM":    {Config{Brokers: ok, TLS: TLS{Enabled: true, CertFile: garbage, KeyFile: garbage}}, []string{"kafka.tls.cert-file", "garbage.pem"}},
		"mechanism":       {Config{Brokers: ok, SASL: SASL{Mechanism: "gssapi"}}, []string{`kafka.sasl.mechanism "gssapi"`, "scram-sha-512"}},
		"only a user":     {Config{Brokers: ok, SASL: SASL{Username: "u"}}, []string{"kafka.sasl.mechanism is empty"}},
		"no user":         {Config{Brokers: ok, SASL: SASL{Mechanism: Plain, Password: "p4ssw0rd"}}, []string{"kafka.sasl.username is empty"}},
		"no password":     {Config{Brokers: ok, SASL: SASL{Mechanism: Plain, Username: "u"}}, []string{"kafka.sasl.password is empty"}},
		"two passwords":   {Config{Brokers: ok, SASL: SASL{Mechanism: Plain, Username: "u", Password: "p4ssw0rd", PasswordFile: "f"}}, []string{"kafka.sasl.password-file"}},
		"no passwd file":  {Config{Brokers: ok, SASL: SASL{Mechanism: Plain, Username: "u", PasswordFile: filepath.Join(dir, "absent")}}, []string{"kafka.sasl.password-file", "absent"}},
		"empty passwd":    {Config{Brokers: ok, SASL: SASL{Mechanism: Plain, Username: "u", PasswordFile: empty}}, []string{"kafka.sasl.password-file", "empty"}},
		"scram name":      {Config{Brokers: ok, SASL: SASL{Mechanism: ScramSHA256, Username: "a\x00b", Password: "p4ssw0rd"}}, []string{"kafka.sasl.username", "scram-sha-256"}},
		"all at one time": {Config{TLS: TLS{ServerName: "x"}, SASL: SASL{Mechanism: "x"}}, []string{"brokers", "server-name", "mechanism"}},
	} {
		conn, err := New(c.cfg)
		if err == nil {
			conn.Close()
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q does not contain %q", name, err, want)
			}
		}
		if strings.Contains(err.Error(), "p4ssw0rd") {
			t.Errorf("%s: error %q contains the password", name, err)
		}
	}
}

func TestEnsureTopicsRefusesBadSpecs(t *testing.T) {
	t.Parallel()
	c, err := New(Config{Brokers: []string{"127.0.0.1:1"}})
	check(t, err)
	for _, s := range []TopicSpec{{Partitions: 1, Replication: 1}, {Name: "t", Replication: 1}, {Name: "t", Partitions: 1}} {
		if err := c.EnsureTopics(t.Context(), []TopicSpec{s}); err == nil {
			t.Errorf("%+v: no error", s)
		}
	}
	check(t, c.EnsureTopics(t.Context(), nil)) // nothing to ensure, no broker needed
}

func write(t *testing.T, path, content string) {
	t.Helper()
	check(t, os.WriteFile(path, []byte(content), 0o600))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
