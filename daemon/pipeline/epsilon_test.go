package pipeline

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/daemon/demo"
	"kilim/graphstore"
	"kilim/learner/model"
)

// BenchmarkEpsilon applies a real feed and the demo archive with epsilons from 0 (exact) up: what each saves, and how far the embeddings
// and the lists are in the end from the exact ones. Each batch is followed by all that it sets off, as when records come slower
// than they could. KILIM_RECORDS asks for another number of records.
func BenchmarkEpsilon(b *testing.B) {
	for _, feed := range realFeeds(b) {
		var exact *settled
		for _, epsilon := range []float32{0, 0.01, 0.02, 0.05, 0.1, 0.2} {
			b.Run(fmt.Sprintf("%s/%v", feed.name, epsilon), func(b *testing.B) {
				for b.Loop() {
					got := settleFeed(b, epsilon, feed.items)
					if epsilon == 0 {
						exact = got
					}
					b.ReportMetric(float64(len(feed.items))/got.took.Seconds(), "records/s")
					b.ReportMetric(float64(got.cpu.Microseconds())/float64(len(feed.items)), "cpu-µs/record")
					b.ReportMetric(got.refreshed, "refreshed/newcomer")
					b.ReportMetric(got.untold, "untold-max")
					if exact != nil {
						mean, most := got.off(exact)
						b.ReportMetric(mean, "off-mean")
						b.ReportMetric(most, "off-max")
						b.ReportMetric(got.lists.agreement(&exact.lists), "agreement@10")
					}
				}
			})
		}
	}
}

// realFeed is a feed of a benchmark.
type realFeed struct {
	name  string
	items []consumer.Item
}

// realFeeds are 1,000 records of each, or as many as KILIM_RECORDS says.
func realFeeds(b *testing.B) []realFeed {
	n := recordsAsked(b)
	return []realFeed{{"walters", walters(b, n)}, {"demo", demoArchive(b, n)}}
}

func recordsAsked(b *testing.B) int {
	text := os.Getenv("KILIM_RECORDS")
	if text == "" {
		return 1000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal("KILIM_RECORDS: ", err)
	}
	return n
}

// BenchmarkLayers applies the feeds of BenchmarkEpsilon to models of two and of three layers, and of two with attention: what a newcomer costs, and what the rows of
// nodes take.
func BenchmarkLayers(b *testing.B) {
	for _, feed := range realFeeds(b) {
		for _, options := range []model.Options{{Layers: 2}, {Layers: 3}, {Layers: 2, Aggregator: model.AggregatorAttention}} {
			for _, epsilon := range []float32{0, defaults().Epsilon} {
				b.Run(fmt.Sprintf("%s/%d layers %s/%v", feed.name, options.Layers, options.Aggregator, epsilon), func(b *testing.B) {
					for b.Loop() {
						cfg := defaults()
						cfg.Epsilon, cfg.Model.Layers, cfg.Model.Aggregator = epsilon, options.Layers, options.Aggregator
						got, all := settleFeedBy(b, cfg, feed.items), 0.0
						for kind, bytes := range got.nodes {
							each := float64(bytes) / float64(len(feed.items))
							b.ReportMetric(each, strings.ReplaceAll(kind, " ", "-")+"-bytes/record")
							all += each
						}
						b.ReportMetric(all, "all-bytes/record")
						b.ReportMetric(float64(got.cpu.Microseconds())/float64(len(feed.items)), "cpu-µs/record")
						b.ReportMetric(got.refreshed, "refreshed/newcomer")
						b.ReportMetric(got.untold, "untold-max")
					}
				})
			}
		}
	}
}

// TestEpsilonSavesWork runs the demo archive exactly and with the default epsilon: that embeds less, and ends near.
func TestEpsilonSavesWork(t *testing.T) {
	t.Parallel()
	items := demoArchive(t, 200)
	exact, lazy := settleFeed(t, 0, items), settleFeed(t, defaults().Epsilon, items)
	if lazy.refreshed >= exact.refreshed {
		t.Errorf("%.1f artifacts refreshed a newcomer, the exact mode %.1f", lazy.refreshed, exact.refreshed)
	}
	if _, most := lazy.off(exact); most == 0 || most > float64(defaults().Epsilon) {
		t.Errorf("an embedding is %v from the exact one: want above 0, else nothing was saved, and at most %v", most, defaults().Epsilon)
	}
	if a := lazy.lists.agreement(&exact.lists); a < leastEngineAgreement {
		t.Errorf("agreement@10 with the exact lists %.4f, want at least %v", a, leastEngineAgreement)
	}
}

// demoArchive returns records of the demo archive, decoded.
func demoArchive(tb testing.TB, n int) []consumer.Item {
	tb.Helper()
	return demoRecords(tb, demo.Options{Artifacts: n, Seed: 1})
}

func demoRecords(tb testing.TB, o demo.Options) (items []consumer.Item) {
	tb.Helper()
	if err := demo.Each(o, func(raw []byte, id string) error {
		a, err := profile.Parse(raw, id, profile.DefaultLimits())
		if err != nil {
			return err
		}
		r := consumer.Record{Topic: "in", Offset: int64(len(items)), Time: time.Unix(1, 0), Key: []byte(id), Value: raw}
		items = append(items, consumer.Item{Record: r, ID: a.ID, Artifact: a})
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
	return items
}

// settled is what came of a feed whose batches were each followed by all that they set off.
type settled struct {
	lists      fed
	embeddings map[uint64][]float32
	// refreshed counts the artifacts that were embedded again, for each that came.
	refreshed float64
	// untold is the most that an embedding is off because its neighbours have not told what they moved by, as the daemon's audit
	// finds it. What is off beside that is features which were not renewed, for they would have moved by less than epsilon.
	untold    float64
	took, cpu time.Duration
	// nodes are the bytes of the rows of nodes, by kind.
	nodes map[string]int64
}

// settleFeed searches by the exact index, so that nothing but epsilon tells two feeds apart.
func settleFeed(tb testing.TB, epsilon float32, items []consumer.Item) *settled {
	tb.Helper()
	cfg := defaults()
	cfg.Epsilon = epsilon
	return settleFeedBy(tb, cfg, items)
}

func settleFeedBy(tb testing.TB, cfg Config, items []consumer.Item) *settled {
	tb.Helper()
	cfg.Engine, cfg.MaxOutbox = "flat", 1<<30
	s, err := openSite(tb, tb.TempDir(), cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		tb.Fatal(err)
	}
	start, cpu := time.Now(), processorTime(tb)
	const batch = 100
	for i := 0; i < len(items); i += batch {
		chunk := items[i:min(i+batch, len(items))]
		next := []consumer.Offset{{Topic: "in", Next: chunk[len(chunk)-1].Offset + 1}}
		s.must(s.engine.Apply(tb.Context(), &consumer.Batch{Items: chunk, Next: next}))
		s.must(s.settle())
	}
	out := &settled{took: time.Since(start), cpu: processorTime(tb) - cpu, lists: fed{lists: s.lists()}, embeddings: map[uint64][]float32{}, nodes: map[string]int64{}}
	out.refreshed = testutil.ToFloat64(s.engine.metrics.refreshed)/float64(len(items)) - 1
	for _, id := range s.engine.index.IDs() {
		v := make([]float32, s.engine.index.Dim())
		s.engine.index.Vector(id, v)
		out.embeddings[id] = v
	}
	s.must(s.store.View(func(r *graphstore.Reader) error {
		for id := range out.embeddings {
			off, err := s.engine.refresher.Audit(r, graphstore.NodeID(id))
			if err != nil {
				return err
			}
			out.untold = max(out.untold, off)
		}
		kinds, err := r.RowKinds()
		for _, k := range kinds {
			if strings.Contains(k.Name, "nodes") || k.Name == "embeddings" {
				out.nodes[k.Name] = k.Bytes
			}
		}
		return err
	}))
	s.must(s.store.Close())
	return out
}

func processorTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// off is how far embeddings are from the exact ones, on average and at most.
func (s *settled) off(exact *settled) (mean, most float64) {
	for id, v := range s.embeddings {
		var square float64
		for i, x := range exact.embeddings[id] {
			square += math.Pow(float64(x)-float64(v[i]), 2)
		}
		mean += math.Sqrt(square) / float64(len(s.embeddings))
		most = max(most, math.Sqrt(square))
	}
	return mean, most
}
