package pipeline

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"kilim/consumer"
	"kilim/graphstore"
)

// TestOtherPartitions: of the records of an artifact in two partitions the later one by its time counts, whichever is read first; the
// offsets advance over the other, in one batch and over several.
func TestOtherPartitions(t *testing.T) {
	t.Parallel()
	for _, together := range []bool{false, true} {
		s := newSite(t, exact())
		next := map[int]int64{}
		var batch *consumer.Batch
		flush := func() {
			t.Helper()
			for p, n := range next {
				batch.Next = append(batch.Next, consumer.Offset{Topic: "in", Partition: p, Next: n})
			}
			s.must(s.engine.Apply(t.Context(), batch))
			batch = nil
		}
		add := func(partition int, at int64, fields map[string]any) {
			t.Helper()
			if batch == nil {
				batch = &consumer.Batch{}
			}
			item := change{"a", fields}.item(next[partition])
			item.Partition, item.Time = partition, time.Unix(1_700_000_000+at, 0)
			batch.Items = append(batch.Items, item)
			next[partition]++
			if !together {
				flush()
			}
		}
		title := func(text string) map[string]any { return map[string]any{"title": text} }
		superseded := func() float64 { return testutil.ToFloat64(s.engine.metrics.consumed.WithLabelValues("superseded")) }
		is := func(want string) {
			t.Helper()
			if together {
				flush()
			}
			var got struct{ Title string }
			s.must(s.engine.store.View(func(r *graphstore.Reader) error {
				doc, err := r.Artifact("a")
				if err != nil || doc == nil {
					return err
				}
				return json.Unmarshal(doc.Raw, &got)
			}))
			if got.Title != want {
				t.Errorf("together %v: the artifact is %q, want %q", together, got.Title, want)
			}
			for p, n := range next {
				if stored, ok, err := s.engine.StoredOffset("in", p); err != nil || !ok || stored.Next != n {
					t.Errorf("together %v: partition %d is at %d (%v, %v), want %d", together, p, stored.Next, ok, err, n)
				}
			}
		}
		add(1, 20, title("new"))
		add(0, 10, title("old"))
		is("new")
		add(0, 11, nil) // an old deletion
		is("new")
		if got := superseded(); got != 2 {
			t.Errorf("together %v: %v records superseded, want 2", together, got)
		}
		add(1, 5, title("corrected")) // of its own partition: the order counts
		add(0, 4, title("older"))
		is("corrected")
		add(2, 30, title("newest"))
		is("newest")
		add(1, 29, title("late"))
		add(2, 40, nil)
		is("")
	}
}
