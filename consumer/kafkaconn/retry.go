package kafkaconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"
)

const (
	retryFirst = 100 * time.Millisecond
	retryMost  = 3 * time.Second
)

// Ping returns once a broker has answered a metadata request, retrying as
// EnsureTopics does.
func (c *Conn) Ping(ctx context.Context) error {
	return c.retry(ctx, "ping", func(ctx context.Context, cl *kafka.Client) error {
		_, err := cl.Metadata(ctx, &kafka.MetadataRequest{})
		return err
	})
}

// Reachable asks a broker once, over a connection of its own, and returns why none answers.
func (c *Conn) Reachable(ctx context.Context) error {
	tr := c.Transport()
	defer tr.CloseIdleConnections()
	if _, err := (&kafka.Client{Addr: kafka.TCP(c.brokers...), Transport: tr}).Metadata(ctx, &kafka.MetadataRequest{}); err != nil {
		return fmt.Errorf("kafka %s: %w", c, explain(err))
	}
	return nil
}

// retry runs op until it succeeds, fails for good, or StartTimeout or ctx ends.
//
// Each attempt has a client of its own: kafka-go's transport answers metadata
// requests from a cache that is renewed after a random time of up to six seconds
// and that also keeps the last error, so a retry on a shared one could look at
// the past.
func (c *Conn) retry(ctx context.Context, what string, op func(context.Context, *kafka.Client) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.startTimeout, fmt.Errorf("gave up after %v", c.startTimeout))
	defer cancel()
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval, policy.MaxInterval = retryFirst, retryMost
	var last error
	tries := 0
	attempt := func() (struct{}, error) {
		tries++
		tr := c.Transport()
		defer tr.CloseIdleConnections()
		once, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		err := op(once, &kafka.Client{Addr: kafka.TCP(c.brokers...), Transport: tr})
		if err == nil {
			return struct{}{}, nil
		}
		// A context that ended says less than the failure before it.
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if hopeless(err) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}
	notify := func(err error, next time.Duration) {
		level := slog.LevelDebug
		if tries == 1 {
			level = slog.LevelInfo
		}
		c.log.Log(ctx, level, "waiting for kafka", "brokers", c.String(), "for", what, "error", err, "next_try", next.Round(time.Millisecond))
	}
	_, err := backoff.Retry(ctx, attempt,
		backoff.WithBackOff(policy), backoff.WithMaxElapsedTime(0), backoff.WithNotify(notify))
	if err == nil {
		return nil
	}
	err = explain(last)
	if cause := context.Cause(ctx); cause != nil {
		err = fmt.Errorf("%w; the last error: %w", cause, err)
	}
	return fmt.Errorf("kafka %s: %s (attempt %d): %w", c, what, tries, err)
}

// hopeless says that waiting can't help. Everything else may be a cluster that is
// just starting: connections refused, no leader, no coordinator, too few brokers
// for the replication factor.
func hopeless(err error) bool {
	for _, e := range []kafka.Error{
		kafka.SASLAuthenticationFailed, kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState,
		kafka.TopicAuthorizationFailed, kafka.ClusterAuthorizationFailed,
		kafka.InvalidTopic, kafka.InvalidConfiguration, kafka.InvalidPartitionNumber, kafka.PolicyViolation,
		kafka.UnsupportedVersion,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	var record tls.RecordHeaderError
	return isCertificate(err) || errors.As(err, &record)
}

func isCertificate(err error) bool {
	var (
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		remote    *net.OpError
	)
	if errors.As(err, &remote) && remote.Op == "remote error" {
		return true // crypto/tls's form of the alert with which the broker refused us
	}
	return errors.As(err, &verify) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

// explain puts the setting that is to be looked at before kafka-go's words.
func explain(err error) error {
	var (
		record tls.RecordHeaderError
		host   x509.HostnameError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &record):
		return fmt.Errorf("kafka.tls.enabled is set, but the broker does not speak TLS on this port: %w", err)
	case errors.As(err, &host):
		return fmt.Errorf("the broker's certificate is for another name (kafka.tls.server-name): %w", err)
	case isCertificate(err):
		return fmt.Errorf("the TLS handshake failed (kafka.tls.ca-file, cert-file): %w", err)
	case errors.Is(err, kafka.UnsupportedSASLMechanism):
		return fmt.Errorf("the broker does not offer this kafka.sasl.mechanism: %w", err)
	case errors.Is(err, kafka.SASLAuthenticationFailed):
		return fmt.Errorf("the broker refused kafka.sasl.username or password: %w", err)
	case errors.Is(err, kafka.InvalidReplicationFactor):
		return fmt.Errorf("kafka.replication is more than the cluster has brokers: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, os.ErrDeadlineExceeded):
		// What a broker does with a client that speaks another protocol. It may also
		// be one that is just going down, so this is a hint and not a reason to stop.
		return fmt.Errorf("connected, but no answer (are kafka.tls.enabled and kafka.sasl what this port expects?): %w", err)
	}
	return err
}
