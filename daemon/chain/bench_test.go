package chain

import (
	"bufio"
	"compress/gzip"
	"os"
	"testing"
	"time"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/daemon/config"
	"kilim/graphstore"
)

// walters returns the first records of a real feed, decoded.
func walters(tb testing.TB, n int) []consumer.Item {
	f, err := os.Open("../../../shared/data/walters.jsonl.gz")
	if err != nil {
		tb.Skip("needs ../shared/data: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	var items []consumer.Item
	for lines.Scan() && len(items) < n {
		raw := append([]byte{}, lines.Bytes()...)
		a, err := profile.Parse(raw, "", profile.DefaultLimits())
		if err != nil {
			tb.Fatal(err)
		}
		r := consumer.Record{Topic: "in", Offset: int64(len(items)), Time: time.Unix(1, 0), Key: []byte(a.ID), Value: raw}
		items = append(items, consumer.Item{Record: r, ID: a.ID, Artifact: a})
	}
	return items
}

// BenchmarkWalters applies a real feed with the default configuration, without Kafka.
func BenchmarkWalters(b *testing.B) {
	items := walters(b, 4000)
	cfg := FromConfig(config.Default())
	cfg.MaxOutbox = 1 << 30
	for b.Loop() {
		s, err := openSite(b, b.TempDir(), cfg, graphstore.Options{})
		if err != nil {
			b.Fatal(err)
		}
		const batch = 256
		for i := 0; i < len(items); i += batch {
			chunk := items[i:min(i+batch, len(items))]
			next := []consumer.Offset{{Topic: "in", Next: chunk[len(chunk)-1].Offset + 1}}
			s.must(s.engine.Apply(b.Context(), &consumer.Batch{Items: chunk, Next: next}))
		}
		b.ReportMetric(float64(len(items)*b.N)/b.Elapsed().Seconds(), "records/s")
		if err := s.store.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
