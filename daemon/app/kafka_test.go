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

	"kilim/daemon/feed"
	"kilim/daemon/web"
	"kilim/rerank"
)

// realRecords of the real feed are what TestKafkaEndsInTheSameLists takes; KILIM_RECORDS asks
// for another number, 0 for all.
const realRecords = 1500

// The tolerance within which two runs over one feed must agree, whatever the
// sizes of their batches: with the default configuration a list follows small
// changes of others' vectors and of document frequencies only after a while.
const (
	leastAgreement = 0.97 // of the first ten, on average
	mostScoreDelta = 0.03 // of the scores of those in both lists, 99th percentile
)

// TestKafkaEndsInTheSameLists feeds a real archive, as `kilim feed` does, through the
// embedded broker and through Apache Kafka, and compares what is published in the end. It is
// what `make feeds` runs over the whole archive.
func TestKafkaEndsInTheSameLists(t *testing.T) {
	addr, n := os.Getenv("KILIM_KAFKA"), os.Getenv("KILIM_RECORDS")
	if addr == "" && n == "" {
		t.Skip("needs a real Kafka: KILIM_KAFKA=host:port, or KILIM_RECORDS=N to start one")
	}
	lines, records := realFeed(t, n)
	if addr == "" {
		addr = newOwnKafka(t).addr()
	}
	lists := map[string]map[string]published{}
	for _, broker := range []string{"embedded", "kafka"} {
		cfg := testConfig(t)
		cfg.Broker = "embedded://127.0.0.1:0"
		if broker == "kafka" {
			cfg.Broker = addr
			cfg.Ingest.BatchRecords = 97 // other batches than the embedded broker's
		}
		d := start(t, cfg)
		began := time.Now()
		sum, err := feed.Run(t.Context(), feed.JSON(bytes.NewReader(lines)), d.app.conn, feed.Options{Topic: cfg.Kafka.Topics.Artifacts})
		if err != nil || sum.Records != records {
			t.Fatalf("%s: %d of %d records acknowledged: %v", broker, sum.Records, records, err)
		}
		d.until("all is durable and published", func(s *web.Status) bool { return s.Artifacts == records && s.Lag == 0 && s.Outbox == 0 })
		published := time.Since(began)
		s := d.settle(records)
		settled := time.Since(began)
		if s.Records.Refused != 0 || s.Artifacts != records {
			t.Errorf("%s: %d artifacts of %d records, %d refused", broker, s.Artifacts, records, s.Records.Refused)
		}
		lists[broker] = d.published()
		if n := len(lists[broker]); n != records {
			t.Errorf("%s: %d artifacts have a published list, want %d", broker, n, records)
		}
		p50, p99 := d.freshness(records)
		t.Logf("%s: %d records fed at %.0f/s, %d artifacts, %d refused, %d with a published list", broker, sum.Records, sum.PerSecond(), s.Artifacts, s.Records.Refused, len(lists[broker]))
		t.Logf("%s: published after %.1f s (%.0f/s), nothing left to refresh after %.1f s", broker, published.Seconds(), float64(records)/published.Seconds(), settled.Seconds())
		t.Logf("%s: from the record to the newcomer's own list, all fed at once: p50 %v, p99 %v", broker, p50, p99)
		t.Logf("%s: %d nodes, %d edges", broker, total(s.Nodes), total(s.Edges))
		d.end()
	}
	agreement, delta := compareRuns(lists["embedded"], lists["kafka"])
	t.Logf("both: agreement of the total lists %.4f (at least %v), 99th percentile of score differences %.4f (at most %v)",
		agreement, leastAgreement, delta, mostScoreDelta)
	if agreement < leastAgreement || delta > mostScoreDelta {
		t.Error("the two runs do not end in the same lists")
	}
}

func total(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// realFeed is the head of the real archive, and its number of lines; asked is what KILIM_RECORDS says.
func realFeed(t *testing.T, asked string) (lines []byte, records int) {
	t.Helper()
	most := realRecords
	if asked != "" {
		var err error
		if most, err = strconv.Atoi(asked); err != nil || most < 0 {
			t.Fatalf("KILIM_RECORDS %q: want a number of records, or 0 for all", asked)
		}
	}
	f, err := os.Open("../../../shared/data/walters.jsonl.gz")
	if err != nil {
		t.Skip("needs ../shared/data: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	scan := bufio.NewScanner(z)
	for scan.Scan() && (most == 0 || records < most) {
		lines = append(append(lines, scan.Bytes()...), '\n')
		records++
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	return lines, records
}

// freshness is the time from an artifact's record to its first list in the output topic, by the broker's clock.
func (d *daemon) freshness(records int) (p50, p99 time.Duration) {
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
	if len(fed) > 0 || len(took) != records {
		d.t.Errorf("%d of %d artifacts have no list", len(fed), records)
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100]
}

// published are the lists of an update.
type published struct{ Total, General []rerank.Entry }

func (d *daemon) published() map[string]published {
	d.t.Helper()
	out := map[string]published{}
	for id, value := range d.last() {
		var u struct{ Lists published }
		if err := json.Unmarshal([]byte(value), &u); err != nil {
			d.t.Fatalf("%s: %v", id, err)
		}
		out[id] = u.Lists
	}
	return out
}

// compareRuns is the mean share of the total lists' entries that two runs have in
// common, and the 99th percentile of the differences of those entries' scores.
func compareRuns(a, b map[string]published) (agreement float64, delta float64) {
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
