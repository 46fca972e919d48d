package pipeline

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"kilim/consumer"
	"kilim/daemon/pipeline/vectorindex"
	"kilim/graphstore"
	"kilim/rerank"
)

// leastEngineAgreement is the share of the first ten of total that the default index must
// find, of those that the exact one does.
const leastEngineAgreement = 0.97

// leastRecallOfTen is what the default index must find of the ten nearest, with its default settings.
const leastRecallOfTen = 0.99

// TestEnginesAgree applies a real feed with the default index engine and with the exact one,
// and compares the lists in the end. The records are more than hnsw searches exactly.
func TestEnginesAgree(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("two feeds on one goroutine")
	}
	items := walters(t, 1200)
	exactly := runFeed(t, "flat", items)
	nearly := runFeed(t, "hnsw", items)
	if a := nearly.agreement(exactly); a < leastEngineAgreement {
		t.Errorf("agreement@10 with flat %.4f, want at least %v", a, leastEngineAgreement)
	}
	if nearly.ofCandidates < leastEngineAgreement || exactly.ofCandidates != 1 {
		t.Errorf("recall of the candidates %.4f, of flat's %v", nearly.ofCandidates, exactly.ofCandidates)
	}
	if nearly.ofTen < leastRecallOfTen || exactly.ofTen != 1 {
		t.Errorf("recall@10 %.4f, of flat %v", nearly.ofTen, exactly.ofTen)
	}
}

// BenchmarkEngines applies a real feed with each index engine: how quickly it settles, how far its lists
// agree with the exact ones, what it finds of the nearest, and the memory of the index.
// KILIM_RECORDS asks for another number of records; coder takes more than twice as long as the others.
func BenchmarkEngines(b *testing.B) {
	n := 3000
	if text := os.Getenv("KILIM_RECORDS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal("KILIM_RECORDS: ", err)
		}
	}
	items := walters(b, n)
	var exactly *fed
	for _, engine := range []string{"flat", "hnsw", "coder"} {
		b.Run(engine, func(b *testing.B) {
			for b.Loop() {
				got := runFeed(b, engine, items)
				if engine == "flat" {
					exactly = got
				}
				b.ReportMetric(float64(len(items))/got.took.Seconds(), "records/s")
				b.ReportMetric(float64(got.indexBytes)/1e6, "index-MB")
				b.ReportMetric(got.ofTen, "recall@10")
				b.ReportMetric(got.ofCandidates, "recall-of-candidates")
				if exactly != nil {
					b.ReportMetric(got.agreement(exactly), "agreement@10")
				}
			}
		})
	}
}

// fed is what came of a feed.
type fed struct {
	lists map[string]rerank.Lists
	// took is the time until all that the records set off was done.
	took time.Duration
	// ofTen and ofCandidates are the shares that the index finds of the ten nearest, and of as many as are
	// candidates of a list, for some of the artifacts.
	ofTen, ofCandidates float64
	// indexBytes is the memory of an index of the embeddings.
	indexBytes uint64
}

// runFeed applies items in batches and does all that they set off.
func runFeed(t testing.TB, engine string, items []consumer.Item) *fed {
	t.Helper()
	cfg := defaults()
	cfg.Engine = engine
	cfg.MaxOutbox = 1 << 30
	s, err := openSite(t, t.TempDir(), cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	const batch = 100
	start := time.Now()
	for i := 0; i < len(items); i += batch {
		chunk := items[i:min(i+batch, len(items))]
		next := []consumer.Offset{{Topic: "in", Next: chunk[len(chunk)-1].Offset + 1}}
		s.must(s.engine.Apply(t.Context(), &consumer.Batch{Items: chunk, Next: next}))
	}
	s.must(s.settle())
	out := &fed{lists: s.lists(), took: time.Since(start)}
	ids, dim := s.engine.index.IDs(), s.engine.index.Dim()
	vectors := make([][]float32, len(ids))
	for i, id := range ids {
		vectors[i] = make([]float32, dim)
		s.engine.index.Vector(id, vectors[i])
	}
	queries := vectors[:min(300, len(vectors))]
	out.ofTen, out.ofCandidates = s.recall(queries, 10), s.recall(queries, cfg.Candidates+1) // with the artifact itself
	s.must(s.store.Close())

	index, err := vectorindex.New(cfg.index(dim, s.engine.log))
	s.must(err)
	for i, id := range ids {
		s.must(index.Put(id, vectors[i]))
	}
	with := liveHeap()
	runtime.KeepAlive(index)
	index = nil
	out.indexBytes = with - min(with, liveHeap())
	runtime.KeepAlive(vectors)
	return out
}

// recall is the share of the k nearest that the index finds.
func (s *site) recall(queries [][]float32, k int) float64 {
	s.t.Helper()
	found, all := 0, 0
	for _, q := range queries {
		got, err := s.engine.index.Search(q, k, nil)
		s.must(err)
		want, err := s.engine.index.SearchExact(q, k, nil)
		s.must(err)
		have := map[uint64]bool{}
		for _, h := range got {
			have[h.ID] = true
		}
		for _, h := range want {
			all++
			if have[h.ID] {
				found++
			}
		}
	}
	return float64(found) / float64(all)
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one finalized
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// agreement is the share of the entries of another's total lists that are in these.
func (f *fed) agreement(with *fed) float64 {
	same, all := 0, 0
	for id, want := range with.lists {
		have := map[string]bool{}
		for _, e := range f.lists[id].Get(rerank.ListTotal) {
			have[e.ID] = true
		}
		for _, e := range want.Get(rerank.ListTotal) {
			all++
			if have[e.ID] {
				same++
			}
		}
	}
	return float64(same) / float64(all)
}
