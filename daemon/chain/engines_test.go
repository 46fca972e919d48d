package chain

import (
	"os"
	"strconv"
	"testing"
	"time"

	"kilim/annindex"
	"kilim/consumer"
	"kilim/daemon/config"
	"kilim/graphstore"
	"kilim/rerank"
)

// leastEngineAgreement is the share of the first ten of total that an approximate index must
// find, of those that the exact one does.
const leastEngineAgreement = 0.97

// engineRecords of the real feed are more than hnsw searches exactly; KILIM_RECORDS asks for
// another number.
const engineRecords = 1200

// TestEnginesAgree applies a real feed with the default index engine and with the exact one,
// and compares the lists in the end.
func TestEnginesAgree(t *testing.T) {
	t.Parallel()
	n := engineRecords
	engines := []string{"flat", "hnsw"}
	if text := os.Getenv("KILIM_RECORDS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal("KILIM_RECORDS: ", err)
		}
		if n <= 3000 { // coder takes ten times as long as the others by then
			engines = annindex.Engines()
		}
	}
	items := walters(t, n)
	lists := map[string]map[string]rerank.Lists{}
	for _, engine := range engines {
		cfg := FromConfig(config.Default())
		cfg.Engine = engine
		start := time.Now()
		lists[engine] = runFeed(t, cfg, items)
		t.Logf("%s: %d artifacts settled after %v", engine, len(items), time.Since(start).Round(time.Millisecond))
	}
	for engine, got := range lists {
		same, all := 0, 0
		for id, want := range lists["flat"] {
			have := map[string]bool{}
			for _, e := range got[id].Total {
				have[e.ID] = true
			}
			for _, e := range want.Total {
				all++
				if have[e.ID] {
					same++
				}
			}
		}
		agreement := float64(same) / float64(all)
		t.Logf("%s: agreement@10 with flat %.4f", engine, agreement)
		if engine != "coder" && agreement < leastEngineAgreement {
			t.Errorf("%s: agreement@10 with flat %.4f, want at least %v", engine, agreement, leastEngineAgreement)
		}
	}
}

// runFeed applies items in batches, does all that they set off, and returns the lists.
func runFeed(t *testing.T, cfg Config, items []consumer.Item) map[string]rerank.Lists {
	t.Helper()
	cfg.MaxOutbox = 1 << 30
	s, err := openSite(t, t.TempDir(), cfg, graphstore.Options{SyncWrites: graphstore.NoSync})
	if err != nil {
		t.Fatal(err)
	}
	const batch = 100
	for i := 0; i < len(items); i += batch {
		chunk := items[i:min(i+batch, len(items))]
		next := []consumer.Offset{{Topic: "in", Next: chunk[len(chunk)-1].Offset + 1}}
		s.must(s.engine.Apply(t.Context(), &consumer.Batch{Items: chunk, Next: next}))
	}
	s.must(s.settle())
	out := map[string]rerank.Lists{}
	s.must(s.store.View(func(r *graphstore.Reader) error {
		for _, item := range items {
			b, err := r.Lists(graphstore.ID(graphstore.Artifact, item.ID))
			if err != nil {
				return err
			}
			row, err := unmarshalRow(b)
			if err != nil {
				return err
			}
			out[item.ID] = row.lists
		}
		return nil
	}))
	s.must(s.store.Close())
	return out
}
