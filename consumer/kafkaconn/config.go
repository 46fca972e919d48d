package kafkaconn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// SASL mechanisms, as they are written in the configuration.
const (
	Plain       = "plain"
	ScramSHA256 = "scram-sha-256"
	ScramSHA512 = "scram-sha-512"
)

// DefaultStartTimeout is how long EnsureTopics and Ping wait for brokers that do
// not answer yet.
const DefaultStartTimeout = time.Minute

// Config says how to reach a Kafka cluster.
type Config struct {
	// Brokers are bootstrap addresses, host:port. At least one is needed; one of
	// them being up is enough.
	Brokers []string
	// ClientID is what the brokers' logs and quotas see. Default "kilim".
	ClientID string
	TLS      TLS
	SASL     SASL
	// StartTimeout bounds the retries of EnsureTopics and Ping. Default
	// DefaultStartTimeout; a context's deadline may end them earlier.
	StartTimeout time.Duration
	// Log hears of retries, at Info for the first and Debug for the rest. Nil is silent.
	Log *slog.Logger
}

// TLS settings. All files are PEM.
type TLS struct {
	Enabled bool
	// CAFile replaces the system's certificate authorities.
	CAFile string
	// CertFile and KeyFile are the client's own certificate (mutual TLS); both or none.
	CertFile, KeyFile string
	// ServerName is the name expected in the brokers' certificates, instead of
	// the host that was dialed.
	ServerName string
	// InsecureSkipVerify accepts any certificate. For experiments only.
	InsecureSkipVerify bool
}

// SASL settings. With Mechanism "" there is no authentication.
type SASL struct {
	Mechanism string // "", Plain, ScramSHA256 or ScramSHA512
	Username  string
	// Password, or a file that holds it (a line end at its end is dropped). One of them.
	Password, PasswordFile string
}

// Validate names every fault at once (errors.Join). It does not read files; New does.
func (c Config) Validate() error {
	var faults []error
	if len(c.Brokers) == 0 {
		faults = append(faults, errors.New("kafka brokers: none given, need at least one host:port"))
	}
	for _, b := range c.Brokers {
		if err := checkAddress(b); err != nil {
			faults = append(faults, fmt.Errorf("kafka broker %q: %w", b, err))
		}
	}
	if c.StartTimeout < 0 {
		faults = append(faults, fmt.Errorf("kafka start timeout %v: must not be negative", c.StartTimeout))
	}
	faults = append(faults, c.TLS.faults()...)
	faults = append(faults, c.SASL.faults()...)
	return errors.Join(faults...)
}

func checkAddress(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return errors.New("not of the form host:port")
	}
	if host == "" {
		return errors.New("no host before the port")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("port %q is not a number from 1 to 65535", port)
	}
	return nil
}

func (t TLS) faults() []error {
	var faults []error
	if (t.CertFile == "") != (t.KeyFile == "") {
		faults = append(faults, fmt.Errorf("kafka.tls.cert-file %q and kafka.tls.key-file %q: give both or none", t.CertFile, t.KeyFile))
	}
	if t.Enabled {
		return faults
	}
	// A CA file without TLS is someone who believes that the wire is encrypted.
	for _, s := range []struct {
		name string
		set  bool
	}{
		{"ca-file", t.CAFile != ""},
		{"cert-file", t.CertFile != ""},
		{"server-name", t.ServerName != ""},
		{"insecure-skip-verify", t.InsecureSkipVerify},
	} {
		if s.set {
			faults = append(faults, fmt.Errorf("kafka.tls.%s is set but kafka.tls.enabled is not", s.name))
		}
	}
	return faults
}

func (s SASL) faults() []error {
	switch s.Mechanism {
	case "":
		if s.Username != "" || s.Password != "" || s.PasswordFile != "" {
			return []error{errors.New("kafka.sasl.mechanism is empty but a user name or password is set")}
		}
		return nil
	case Plain, ScramSHA256, ScramSHA512:
	default:
		return []error{fmt.Errorf("kafka.sasl.mechanism %q: want %s, %s or %s", s.Mechanism, Plain, ScramSHA256, ScramSHA512)}
	}
	var faults []error
	if s.Username == "" {
		faults = append(faults, fmt.Errorf("kafka.sasl.username is empty, %s needs one", s.Mechanism))
	}
	switch {
	case s.Password != "" && s.PasswordFile != "":
		faults = append(faults, errors.New("kafka.sasl.password and kafka.sasl.password-file: give one of them"))
	case s.Password == "" && s.PasswordFile == "":
		faults = append(faults, fmt.Errorf("kafka.sasl.password is empty, %s needs one", s.Mechanism))
	}
	return faults
}

// build reads the files and returns the client side of TLS; nil when it is off.
func (t TLS) build() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	conf := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify,
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls.ca-file: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("kafka.tls.ca-file %q: no PEM certificate in it", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls.cert-file %q with kafka.tls.key-file %q: %w", t.CertFile, t.KeyFile, err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return conf, nil
}

// build returns the mechanism; nil when there is no authentication.
func (s SASL) build() (sasl.Mechanism, error) {
	if s.Mechanism == "" {
		return nil, nil
	}
	password := s.Password
	if s.PasswordFile != "" {
		b, err := os.ReadFile(s.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("kafka.sasl.password-file: %w", err)
		}
		// Editors and `echo` end a file with a line end; passwords don't have one.
		password = strings.TrimRight(string(b), "\r\n")
		if password == "" {
			return nil, fmt.Errorf("kafka.sasl.password-file %q: empty", s.PasswordFile)
		}
	}
	if s.Mechanism == Plain {
		return plain.Mechanism{Username: s.Username, Password: password}, nil
	}
	algo := scram.SHA256
	if s.Mechanism == ScramSHA512 {
		algo = scram.SHA512
	}
	m, err := scram.Mechanism(algo, s.Username, password)
	if err != nil {
		return nil, fmt.Errorf("kafka.sasl.username or password not usable with %s: %w", s.Mechanism, err)
	}
	return m, nil
}
