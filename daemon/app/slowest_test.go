package app

import (
	"fmt"
	"math"
	"testing"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/web"
)

// TestSlowest: of each batch that is shown the parts add up to the whole, and its stages fit into them.
func TestSlowest(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Ingest.BatchRecords = 2
	d := start(t, cfg)
	const artifacts = 30
	var messages []kafka.Message
	for i := range artifacts {
		messages = append(messages, artifact(fmt.Sprintf("a%d", i), fmt.Sprintf(`"title":"Rug %d"`, i)))
	}
	d.feed(messages...)
	d.settle(artifacts)
	var got struct {
		Batches []web.SlowBatch `json:"batches"`
	}
	if status := d.get("/api/v1/slowest", &got); status != 200 || len(got.Batches) != 10 {
		t.Fatalf("status %d, %d batches, want 10", status, len(got.Batches))
	}
	for i, b := range got.Batches {
		if sum := b.BeforeSeconds + b.TurnSeconds + b.AppliedSeconds + b.DeliverySeconds; math.Abs(sum-b.FreshSeconds) > 1e-6 || i > 0 && b.FreshSeconds > got.Batches[i-1].FreshSeconds {
			t.Errorf("place %d: the parts add up to %v: %+v", i, sum, b)
		}
		stages := 0.0
		for _, seconds := range b.StageSeconds {
			stages += seconds
		}
		if len(b.StageSeconds) != 6 || stages <= 0 || stages > b.TurnSeconds+b.AppliedSeconds || b.Records < 1 || b.Records > 2 {
			t.Errorf("place %d: the stages add up to %v: %+v", i, stages, b)
		}
	}
	d.end()
}
