package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"kilim/rerank"
)

// TestTopicOfAThemeIsMade: a topic of a theme that is not there, or not any more, is asked for, and messages before and after are published
// meanwhile and after that.
func TestTopicOfAThemeIsMade(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 1), newMemory()
	cfg := c.config(t, m, &faults{})
	client := &kafka.Client{Addr: kafka.TCP(c.addr), Transport: new(kafka.Transport), Timeout: 20 * time.Second}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	var made []string
	cfg.Ensure = func(ctx context.Context, topic string) error {
		res, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}}})
		if err == nil && res.Errors[topic] == nil {
			made = append(made, topic)
		}
		return err
	}
	belief := similar + ".belief"
	put := func() {
		m.put(update("a", m.Next()))
		m.put(rerank.EncodeThemed(&rerank.OutMessage{Topic: belief, ID: "a", Revision: m.Next(), Value: []byte("{}")}))
		m.put(update("b", m.Next()))
	}
	put()
	deliver(t, cfg, m)
	if n := len(c.read(t, belief)); n != 1 || !slices.Equal(made, []string{belief}) {
		t.Errorf("%d messages, made are %v", n, made)
	}
	if f, err := Look(t.Context(), cfg); err != nil || f.Lost || f.Unknown > 0 || len(f.Left) > 0 {
		t.Errorf("%+v (%v)", f, err)
	}
	if _, err := client.DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{belief}}); err != nil {
		t.Fatal(err)
	}
	f, err := Look(t.Context(), cfg)
	if err != nil || !f.Lost || !slices.Equal(f.Left, []string{belief}) {
		t.Errorf("a topic of a theme was deleted: %+v (%v)", f, err)
	}
	asked := 0
	cfg.Republish = func(f *Found) error {
		asked++
		return nil
	}
	put()
	deliver(t, cfg, m)
	if n := len(c.read(t, belief)); n != 1 || len(made) != 2 || asked != 1 {
		t.Errorf("%d messages, made are %v, all lists were asked for %d times", n, made, asked)
	}
}

// TestLargestListOfATheme: one that its topic does not take whole is told with the better part of its entries.
func TestLargestListOfATheme(t *testing.T) {
	t.Parallel()
	c, m := newCluster(t, 1, kfake.BrokerConfigs(map[string]string{"message.max.bytes": strconv.Itoa(LeastTopicBytes)})), newMemory()
	var items []string
	for i := range 40 {
		items = append(items, fmt.Sprintf(`{"id":"%s%02d","score":1}`, strings.Repeat("x", 1000), i))
	}
	value := `{"id":"a","revision":1,"model":"m","lists":{"theme:motif":[` + strings.Join(items, ",") + `]},"changes":{"theme:motif":{"entered":[],"left":[],"moved":[]}},"cause":["a"]}`
	m.put(rerank.EncodeThemed(&rerank.OutMessage{Topic: c.motif(), ID: "a", Revision: 1, Value: []byte(value)}))
	cfg := c.config(t, m, &faults{})
	cfg.Compression = "none"
	deliver(t, cfg, m)
	all := c.read(t, c.motif())
	var got struct {
		ID    string
		Model string
		Lists map[string][]struct{ ID string }
	}
	if err := json.Unmarshal(all[0].Value, &got); err != nil || len(all) != 1 {
		t.Fatal(err, len(all))
	}
	list := got.Lists["theme:motif"]
	if got.ID != "a" || got.Model != "m" || len(list) != 10 || !strings.HasSuffix(list[9].ID, "09") {
		t.Errorf("%d entries of %q by %q", len(list), got.ID, got.Model)
	}
	if dropped, err := strconv.Atoi(header(all[0], HeaderDropped)); err != nil || dropped != len(value)-len(all[0].Value) {
		t.Errorf("%d bytes are told to be dropped (%v)", dropped, err)
	}
}
