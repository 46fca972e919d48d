package kafkaconn

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
)

// cluster starts a fake Kafka and returns its address.
func cluster(t *testing.T, opts ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.DefaultNumPartitions(1)}, opts...)...)
	check(t, err)
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

func connect(t *testing.T, cfg Config) *Conn {
	t.Helper()
	c, err := New(cfg)
	check(t, err)
	t.Cleanup(c.Close)
	return c
}

// roundTrip uses everything that a Conn hands out: a topic is made, a record
// is written through the transport and through the client, and read through the dialer.
func roundTrip(t *testing.T, c *Conn, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	check(t, c.Ping(ctx))
	spec := []TopicSpec{{Name: topic, Partitions: 1, Replication: 1, Config: map[string]string{"cleanup.policy": "compact"}}}
	check(t, c.EnsureTopics(ctx, spec))
	check(t, c.EnsureTopics(ctx, spec)) // it is there now
	tr := c.Transport()
	defer tr.CloseIdleConnections()
	w := &kafka.Writer{
		Addr: kafka.TCP(c.Brokers()...), Topic: topic, Transport: tr,
		RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond,
	}
	check(t, w.WriteMessages(ctx, kafka.Message{Key: []byte("k"), Value: []byte("written")}))
	check(t, w.Close())
	res, err := c.Client().Produce(ctx, &kafka.ProduceRequest{
		Topic: topic, RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(kafka.Record{Key: kafka.NewBytes([]byte("k")), Value: kafka.NewBytes([]byte("produced"))}),
	})
	check(t, err)
	check(t, res.Error)
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: c.Brokers(), Topic: topic, Dialer: c.Dialer(), MaxWait: 50 * time.Millisecond})
	defer r.Close()
	for i, want := range []string{"written", "produced"} {
		m, err := r.ReadMessage(ctx)
		check(t, err)
		if string(m.Value) != want || m.Offset != int64(i) {
			t.Fatalf("read %q at offset %d, want %q at %d", m.Value, m.Offset, want, i)
		}
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	roundTrip(t, connect(t, Config{Brokers: []string{cluster(t)}}), "t")
}

func TestTLSAndSASL(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	passwordFile := filepath.Join(t.TempDir(), "password")
	write(t, passwordFile, "p4ssw0rd\n")
	addr := cluster(t, kfake.TLS(ca.server(t, false)), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "plain-user", "p4ssw0rd"),
		kfake.Superuser("SCRAM-SHA-256", "scram-user", "p4ssw0rd"),
		kfake.Superuser("SCRAM-SHA-512", "scram-user", "p4ssw0rd"))
	for _, s := range []SASL{
		{Mechanism: Plain, Username: "plain-user", Password: "p4ssw0rd"},
		{Mechanism: ScramSHA256, Username: "scram-user", Password: "p4ssw0rd"},
		{Mechanism: ScramSHA512, Username: "scram-user", PasswordFile: passwordFile},
	} {
		t.Run(s.Mechanism, func(t *testing.T) {
			t.Parallel()
			roundTrip(t, connect(t, Config{Brokers: []string{addr}, TLS: TLS{Enabled: true, CAFile: ca.caFile}, SASL: s}), s.Mechanism)
		})
	}
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	addr := cluster(t, kfake.TLS(ca.server(t, true)))
	_, certFile, keyFile := ca.pair(t)
	roundTrip(t, connect(t, Config{Brokers: []string{addr}, TLS: TLS{
		Enabled: true, CAFile: ca.caFile, CertFile: certFile, KeyFile: keyFile,
	}}), "t")
}

// TestWhatWaitingCanNotRepair: these fail at once, although the time to start is long,
// and name the setting. (A wrong password is among them on a real Kafka, see TestKafka;
// kfake just hangs up.)
func TestWhatWaitingCanNotRepair(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	secured := cluster(t, kfake.TLS(ca.server(t, false)))
	mutual := cluster(t, kfake.TLS(ca.server(t, true)))
	for name, c := range map[string]struct {
		addr string
		tls  TLS
		want string
	}{
		"untrusted broker": {secured, TLS{Enabled: true, CAFile: other.caFile}, "kafka.tls.ca-file"},
		"other name":       {secured, TLS{Enabled: true, CAFile: ca.caFile, ServerName: "kafka.example"}, "kafka.tls.server-name"},
		"no TLS there":     {notTLS(t), TLS{Enabled: true}, "does not speak TLS"},
		"no certificate":   {mutual, TLS{Enabled: true, CAFile: ca.caFile}, "kafka.tls.ca-file, cert-file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, Config{Brokers: []string{c.addr}, TLS: c.tls, StartTimeout: time.Hour})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := conn.Ping(ctx)
			if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want at once one with %q", err, c.want)
			}
		})
	}
}

// notTLS answers whoever connects in plain text.
func notTLS(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) //nolint:errcheck // the client sees what arrives
			io.Copy(io.Discard, conn)                              //nolint:errcheck // until the client hangs up: closing first could reset
			conn.Close()
		}
	}()
	return ln.Addr().String()
}

// TestWhatLooksLikeAStart: a broker that hangs up is asked again until the time is over;
// then the error says what may be the matter, and never the password.
func TestWhatLooksLikeAStart(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	secured := cluster(t, kfake.TLS(ca.server(t, false)), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "u", "p4ssw0rd"))
	trusted := TLS{Enabled: true, CAFile: ca.caFile}
	for name, c := range map[string]struct {
		tls  TLS
		sasl SASL
	}{
		"wrong password":    {trusted, SASL{Mechanism: ScramSHA256, Username: "u", Password: "p4ssw0rd2"}},
		"unknown user":      {trusted, SASL{Mechanism: ScramSHA256, Username: "x", Password: "p4ssw0rd"}},
		"mechanism missing": {trusted, SASL{Mechanism: Plain, Username: "u", Password: "p4ssw0rd"}},
		"TLS off":           {TLS{}, SASL{Mechanism: ScramSHA256, Username: "u", Password: "p4ssw0rd"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, Config{Brokers: []string{secured}, TLS: c.tls, SASL: c.sasl, StartTimeout: 300 * time.Millisecond})
			err := conn.Ping(t.Context())
			if err == nil || !strings.Contains(err.Error(), "kafka.sasl") || strings.Contains(err.Error(), "p4ssw0rd") {
				t.Fatalf("error %v, want one that names kafka.sasl", err)
			}
		})
	}
}

func TestTopicThatKafkaRefusesIsNotRetried(t *testing.T) {
	t.Parallel()
	c := connect(t, Config{Brokers: []string{cluster(t, kfake.SeedTopics(1, "a.b"))}, StartTimeout: time.Hour})
	err := c.EnsureTopics(t.Context(), []TopicSpec{{Name: "a_b", Partitions: 1, Replication: 1}}) // a.b and a_b collide in Kafka
	if !errors.Is(err, kafka.InvalidTopic) {
		t.Fatalf("error %v, want InvalidTopic", err)
	}
}

// TestExistingTopicIsLeftAlone: other partitions than the specification's are its
// owner's decision.
func TestExistingTopicIsLeftAlone(t *testing.T) {
	t.Parallel()
	c := connect(t, Config{Brokers: []string{cluster(t, kfake.SeedTopics(3, "there"))}})
	check(t, c.EnsureTopics(t.Context(), []TopicSpec{
		{Name: "there", Partitions: 1, Replication: 1}, {Name: "new", Partitions: 2, Replication: 1},
	}))
	res, err := c.Client().Metadata(t.Context(), &kafka.MetadataRequest{Topics: []string{"there", "new"}})
	check(t, err)
	got := map[string]int{}
	for _, topic := range res.Topics {
		got[topic.Name] = len(topic.Partitions)
	}
	if got["there"] != 3 || got["new"] != 2 {
		t.Fatalf("partitions %v, want there:3 new:2", got)
	}
}

// TestWaitsForABrokerThatStarts: the broker appears only after the first attempt
// has been refused.
func TestWaitsForABrokerThatStarts(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	addr := ln.Addr().String()
	refused := make(chan struct{})
	go func() {
		// The first attempt meets something that hangs up, as a proxy before a
		// broker that is not there yet does.
		conn, err := ln.Accept()
		if err == nil {
			conn.Close()
		}
		close(refused)
	}()
	c := connect(t, Config{Brokers: []string{addr}})
	done := make(chan error, 1)
	go func() {
		done <- c.EnsureTopics(t.Context(), []TopicSpec{{Name: "t", Partitions: 1, Replication: 1}})
	}()
	<-refused
	cluster(t, kfake.ListenFn(func(string, string) (net.Listener, error) { return ln, nil }))
	check(t, <-done)
}

func TestGivesUpAfterTheStartTimeout(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	addr := ln.Addr().String()
	check(t, ln.Close()) // nobody listens there now
	c := connect(t, Config{Brokers: []string{addr}, StartTimeout: 50 * time.Millisecond})
	if err := c.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), addr) {
		t.Fatalf("error %v, want one that names %s", err, addr)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped by the test")
	cancel(stop)
	if err := c.Ping(ctx); !errors.Is(err, stop) {
		t.Fatalf("error %v, want the context's cause", err)
	}
}
