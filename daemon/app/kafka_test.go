package app

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/rerank"
)

// records of the real feed that TestKafkaEndsInTheSameLists takes; KILIM_RECORDS asks for another number.
const realRecords = 1500

// The tolerance within which two runs over one feed must agree, whatever the
// sizes of their batches: with the default configuration a list follows small
// changes of others' vectors and of document frequencies only after a while.
const (
	leastAgreement = 0.97 // of the first ten, on average
	mostScoreDelta = 0.03 // of the scores of those in both lists, 99th percentile
)

// TestKafkaEndsInTheSameLists feeds a real archive through the embedded broker and
// through Apache Kafka, and compares what queries show in the end.
func TestKafkaEndsInTheSameLists(t *testing.T) {
	if os.Getenv("KILIM_KAFKA") == "" {
		t.Skip("needs a real Kafka: KILIM_KAFKA=host:port")
	}
	feed := realFeed(t)
	lists := map[string]map[string]rerank.Lists{}
	for _, broker := range []string{"embedded", "kafka"} {
		cfg := testConfig(t)
		if broker == "embedded" {
			cfg.Broker = "embedded://127.0.0.1:0"
		} else {
			// Other batches than the embedded broker's.
			cfg.Ingest.BatchRecords = 97
		}
		d := start(t, cfg)
		started := time.Now()
		d.feed(feed...)
		d.settleIngest(len(feed))
		ingested := time.Since(started)
		s := d.settle(len(feed))
		if s.Records.Refused != 0 {
			t.Errorf("%s: %d records refused", broker, s.Records.Refused)
		}
		p50, p99 := d.freshness(feed)
		t.Logf("%s: %d artifacts, all published %v after the feed began (%.0f/s), settled after %v; freshness of newcomers p50 %v, p99 %v; %d nodes of culture, %d edges of type",
			broker, s.Artifacts, ingested.Round(time.Millisecond), float64(len(feed))/ingested.Seconds(), time.Since(started).Round(time.Millisecond), p50, p99, s.Nodes["culture"], s.Edges["type"])
		lists[broker] = d.published()
		if n := len(lists[broker]); n != len(feed) {
			t.Errorf("%s: %d artifacts have a published list, want %d", broker, n, len(feed))
		}
		d.end()
	}
	agreement, delta := compareRuns(lists["embedded"], lists["kafka"])
	t.Logf("agreement@10 of the two runs: %.4f; 99th percentile of score differences %.4f", agreement, delta)
	if agreement < leastAgreement || delta > mostScoreDelta {
		t.Errorf("agreement@10 %.4f, score difference %.4f: want at least %v and at most %v", agreement, delta, leastAgreement, mostScoreDelta)
	}
}

func realFeed(t *testing.T) []kafka.Message {
	t.Helper()
	f, err := os.Open("../../../shared/data/walters.jsonl.gz")
	if err != nil {
		t.Skip("needs ../shared/data: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	n := realRecords
	if v := os.Getenv("KILIM_RECORDS"); v != "" {
		if n, err = strconv.Atoi(v); err != nil {
			t.Fatalf("KILIM_RECORDS: %v", err)
		}
	}
	var out []kafka.Message
	for lines := bufio.NewScanner(z); lines.Scan() && len(out) < n; {
		var a struct{ ID string }
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		out = append(out, kafka.Message{Key: []byte(a.ID), Value: bytes.Clone(lines.Bytes())})
	}
	return out
}

// settleIngest waits until all records are durable and published; background work may be left.
func (d *daemon) settleIngest(artifacts int) {
	d.t.Helper()
	for deadline := time.Now().Add(10 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var s struct {
			Artifacts, Outbox int
			Lag               int64
		}
		d.get("/api/v1/status", &s)
		if s.Artifacts == artifacts && s.Lag == 0 && s.Outbox == 0 {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("not ingested: %+v", s)
		}
	}
}

// freshness is the time from an artifact's record to its first list in the output topic, by the broker's clock.
func (d *daemon) freshness(feed []kafka.Message) (p50, p99 time.Duration) {
	d.t.Helper()
	fed := map[string]time.Time{}
	for _, m := range d.read(d.cfg.Kafka.Topics.Artifacts) {
		fed[string(m.Key)] = m.Time
	}
	var took []time.Duration
	for _, m := range d.read(d.cfg.Kafka.Topics.Similar) {
		if at, ok := fed[string(m.Key)]; ok {
			took = append(took, m.Time.Sub(at))
			delete(fed, string(m.Key))
		}
	}
	if len(fed) > 0 {
		d.t.Errorf("%d of %d artifacts have no list", len(fed), len(feed))
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100]
}

func (d *daemon) published() map[string]rerank.Lists {
	d.t.Helper()
	out := map[string]rerank.Lists{}
	for id, value := range d.last() {
		var u struct{ Lists rerank.Lists }
		if err := json.Unmarshal([]byte(value), &u); err != nil {
			d.t.Fatalf("%s: %v", id, err)
		}
		out[id] = u.Lists
	}
	return out
}

// compareRuns is the mean share of the total lists' entries that two runs have in
// common, and the 99th percentile of the differences of those entries' scores.
func compareRuns(a, b map[string]rerank.Lists) (agreement float64, delta float64) {
	var deltas []float64
	for id, x := range a {
		scores := map[string]float32{}
		for _, e := range b[id].Total {
			scores[e.ID] = e.Score
		}
		common := 0
		for _, e := range x.Total {
			if score, ok := scores[e.ID]; ok {
				common++
				deltas = append(deltas, math.Abs(float64(e.Score-score)))
			}
		}
		agreement += float64(common) / float64(max(len(x.Total), 1)) / float64(len(a))
	}
	slices.Sort(deltas)
	return agreement, deltas[len(deltas)*99/100]
}
