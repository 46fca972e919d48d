package pipeline

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"kilim/consumer"
	"kilim/consumer/profile"
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

// written counts what a store is made to write, by the kind of row.
type written struct {
	mu          sync.Mutex // an acknowledgement may come beside a commit
	rows, bytes [256]int
}

func (w *written) wrote(kind byte, bytes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows[kind]++
	w.bytes[kind] += bytes
}

// report tells what was written for each of n records.
func (w *written) report(b *testing.B, n int) {
	rows, bytes := 0, 0
	var table strings.Builder
	for kind := range w.rows {
		if w.rows[kind] > 0 {
			fmt.Fprintf(&table, " %c %.2f rows, %.0f bytes;", kind, float64(w.rows[kind])/float64(n), float64(w.bytes[kind])/float64(n))
		}
		rows += w.rows[kind]
		bytes += w.bytes[kind]
	}
	b.Log("a record, by the kinds of graphstore/keys.go:" + table.String()) // in one line: of many a benchmark shows few
	b.ReportMetric(float64(rows)/float64(n), "rows/record")
	b.ReportMetric(float64(bytes)/float64(n), "bytes/record")
}

// BenchmarkWalters applies a real feed with the default configuration, without Kafka.
func BenchmarkWalters(b *testing.B) {
	items := walters(b, 4000)
	cfg := defaults()
	cfg.MaxOutbox = 1 << 30
	var w written
	records := 0
	for b.Loop() {
		s, err := openSite(b, b.TempDir(), cfg, graphstore.Options{Wrote: w.wrote})
		if err != nil {
			b.Fatal(err)
		}
		const batch = 256
		for i := 0; i < len(items); i += batch {
			chunk := items[i:min(i+batch, len(items))]
			next := []consumer.Offset{{Topic: "in", Next: chunk[len(chunk)-1].Offset + 1}}
			s.must(s.engine.Apply(b.Context(), &consumer.Batch{Items: chunk, Next: next}))
		}
		records += len(items)
		if err := s.store.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	w.report(b, records)
}

// BenchmarkWaltersFlood applies the whole feed at once, as after a start, and then does all that it has left over: what each of the two
// takes of the processor, how often an artifact is embedded for it, and how often one is told.
func BenchmarkWaltersFlood(b *testing.B) {
	items := walters(b, math.MaxInt)
	cfg := defaults()
	cfg.MaxOutbox = 1 << 30
	var w written
	var feed, settle time.Duration
	refreshed, told := 0.0, 0.0
	for b.Loop() {
		s, err := openSite(b, b.TempDir(), cfg, graphstore.Options{Wrote: w.wrote})
		if err != nil {
			b.Fatal(err)
		}
		begun := processorTime(b)
		for chunk := range slices.Chunk(items, 512) {
			next := []consumer.Offset{{Topic: "in", Next: chunk[len(chunk)-1].Offset + 1}}
			s.must(s.engine.Apply(b.Context(), &consumer.Batch{Items: chunk, Next: next}))
		}
		fed := processorTime(b)
		s.must(s.settle())
		feed, settle = feed+fed-begun, settle+processorTime(b)-fed
		refreshed += testutil.ToFloat64(s.engine.metrics.refreshed)
		told += testutil.ToFloat64(s.engine.metrics.listsChanged)
		s.must(s.store.Close())
	}
	n := b.N * len(items)
	b.ReportMetric(float64(feed.Microseconds())/float64(n), "feed-cpu-µs/record")
	b.ReportMetric(float64(settle.Microseconds())/float64(n), "settle-cpu-µs/record")
	b.ReportMetric(refreshed/float64(n), "refreshed/record")
	b.ReportMetric(told/float64(n), "told/record")
	w.report(b, n)
}

// BenchmarkWaltersSettle applies records one by one to an archive at rest and does all that
// each sets off: what a newcomer costs in full, and how much of it is before its own update.
func BenchmarkWaltersSettle(b *testing.B) {
	const stored = 4000
	items := walters(b, stored+b.N)
	if len(items) < stored+b.N {
		b.Skipf("the feed has %d records", len(items))
	}
	cfg := defaults()
	cfg.MaxOutbox = 1 << 30
	w := &written{}
	s, err := openSite(b, b.TempDir(), cfg, graphstore.Options{Wrote: func(kind byte, bytes int) { w.wrote(kind, bytes) }})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { s.must(s.store.Close()) }()
	apply := func(chunk []consumer.Item) {
		next := []consumer.Offset{{Topic: "in", Next: chunk[len(chunk)-1].Offset + 1}}
		s.must(s.engine.Apply(b.Context(), &consumer.Batch{Items: chunk, Next: next}))
	}
	settle := func() (units int) {
		for {
			more, err := s.engine.backgroundUnit()
			s.must(err)
			if !more {
				return units
			}
			units++
		}
	}
	apply(items[:stored])
	settle()
	before := testutil.ToFloat64(s.engine.metrics.refreshed)
	w = &written{}
	b.ResetTimer()
	var own time.Duration
	units := 0
	for i := range items[stored:] {
		start := time.Now()
		apply(items[stored+i : stored+i+1])
		own += time.Since(start)
		units += settle()
	}
	n := float64(b.N)
	b.ReportMetric(float64(own.Microseconds())/n, "own-µs/op")
	b.ReportMetric(float64(units)/n, "units/op")
	b.ReportMetric((testutil.ToFloat64(s.engine.metrics.refreshed)-before)/n, "refreshed/op")
	w.report(b, b.N)
}
