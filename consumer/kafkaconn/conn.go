package kafkaconn

import (
	"crypto/tls"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
)

const (
	dialTimeout = 10 * time.Second
	keepAlive   = 30 * time.Second
	// requestTimeout bounds a single attempt of EnsureTopics or Ping, so that a
	// broker that accepts connections but does not answer is retried too.
	requestTimeout = 15 * time.Second
)

// Conn holds the settings of a cluster in kafka-go's forms. It opens nothing
// until used, and is safe for concurrent use.
type Conn struct {
	brokers      []string
	clientID     string
	tls          *tls.Config
	sasl         sasl.Mechanism
	startTimeout time.Duration
	log          *slog.Logger
	transport    *kafka.Transport
	client       *kafka.Client
}

// New checks the configuration, reads the files that it names and returns a Conn.
// It does not connect: Ping does.
func New(cfg Config) (*Conn, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	tlsConf, err := cfg.TLS.build()
	if err != nil {
		return nil, err
	}
	mechanism, err := cfg.SASL.build()
	if err != nil {
		return nil, err
	}
	c := &Conn{
		brokers:      slices.Clone(cfg.Brokers),
		clientID:     cfg.ClientID,
		tls:          tlsConf,
		sasl:         mechanism,
		startTimeout: cfg.StartTimeout,
		log:          cfg.Log,
	}
	if c.clientID == "" {
		c.clientID = "kilim"
	}
	if c.startTimeout == 0 {
		c.startTimeout = DefaultStartTimeout
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.transport = c.Transport()
	c.client = &kafka.Client{Addr: kafka.TCP(c.brokers...), Transport: c.transport}
	return c, nil
}

// Brokers returns the bootstrap addresses.
func (c *Conn) Brokers() []string { return slices.Clone(c.brokers) }

// String is the bootstrap addresses as people write them, for log lines and errors.
func (c *Conn) String() string { return strings.Join(c.brokers, ",") }

// Dialer returns a new dialer, for kafka-go's ConsumerGroup, Reader and Conn.
func (c *Conn) Dialer() *kafka.Dialer {
	return &kafka.Dialer{
		ClientID:      c.clientID,
		Timeout:       dialTimeout,
		KeepAlive:     keepAlive,
		DualStack:     true,
		TLS:           c.tls.Clone(),
		SASLMechanism: c.sasl,
	}
}

// Transport returns a new transport, for kafka-go's Writer and Client. It is the
// caller's: CloseIdleConnections when done with it.
func (c *Conn) Transport() *kafka.Transport {
	return &kafka.Transport{
		ClientID:    c.clientID,
		DialTimeout: dialTimeout,
		TLS:         c.tls.Clone(),
		SASL:        c.sasl,
	}
}

// Client returns the Conn's own client; all callers share its connections, which
// Close closes.
func (c *Conn) Client() *kafka.Client { return c.client }

// Close closes the connections of Client. Dialers and transports handed out are
// not touched.
func (c *Conn) Close() { c.transport.CloseIdleConnections() }
