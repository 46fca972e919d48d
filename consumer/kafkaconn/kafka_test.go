package kafkaconn

import (
	"cmp"
	"fmt"
	"os"
	"testing"
	"time"
)

// TestKafka runs against a real cluster, plain and, when it is told where, secured.
// .ci/kafka/start.sh starts one and says what to export.
func TestKafka(t *testing.T) {
	addr := os.Getenv("KILIM_KAFKA")
	if addr == "" {
		t.Skip("KILIM_KAFKA=host:port is not set: no real Kafka to test against (.ci/kafka/start.sh starts one)")
	}
	topic := fmt.Sprintf("kilim-test-conn-%d", time.Now().UnixNano())
	t.Run("plain text", func(t *testing.T) {
		roundTrip(t, connect(t, Config{Brokers: []string{addr}}), topic)
	})
	t.Run("refused topic", func(t *testing.T) {
		c := connect(t, Config{Brokers: []string{addr}, StartTimeout: time.Hour})
		err := c.EnsureTopics(t.Context(), []TopicSpec{{Name: topic + "-x", Partitions: 1, Replication: 1, Config: map[string]string{"no.such.setting": "1"}}})
		if err == nil {
			t.Fatal("a topic with an unknown setting was made")
		}
	})
	secured := os.Getenv("KILIM_KAFKA_SASL")
	if secured == "" {
		t.Log("KILIM_KAFKA_SASL=host:port is not set: TLS and SASL not tested against it")
		return
	}
	user, password := cmp.Or(os.Getenv("KILIM_KAFKA_USER"), "kilim"), os.Getenv("KILIM_KAFKA_PASSWORD")
	trust := TLS{Enabled: true, CAFile: os.Getenv("KILIM_KAFKA_CA")}
	for _, mechanism := range []string{Plain, ScramSHA256, ScramSHA512} {
		t.Run(mechanism, func(t *testing.T) {
			sasl := SASL{Mechanism: mechanism, Username: user, Password: password}
			roundTrip(t, connect(t, Config{Brokers: []string{secured}, TLS: trust, SASL: sasl}), topic+mechanism)
			sasl.Password += "x"
			wrong := connect(t, Config{Brokers: []string{secured}, TLS: trust, SASL: sasl, StartTimeout: time.Hour})
			if err := wrong.Ping(t.Context()); err == nil {
				t.Fatal("a wrong password was accepted")
			} else {
				t.Log(err)
			}
		})
	}
}
