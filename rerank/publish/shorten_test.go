package publish

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kfake"

	"kilim/rerank"
)

// worstUpdate is the largest update of lists of that size: ids of 1,024 bytes of which JSON makes six each, all places
// of both lists taken by newcomers, as many left, each of them a cause, and the numbers as long as they can be.
func worstUpdate(size int) *rerank.Update {
	next := 0
	id := func() string {
		next++
		return strings.Repeat("<", 1020) + fmt.Sprintf("%04d", next)
	}
	u := &rerank.Update{
		ID: id(), Revision: math.MaxUint64, Epoch: math.MaxUint32, Recorded: time.Unix(1e9, 123456789),
		TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Changes: map[string]rerank.Changes{},
	}
	u.Cause = []string{u.ID}
	for _, name := range []string{rerank.ListTotal, rerank.ListGeneral} {
		var entries []rerank.Entry
		var changes rerank.Changes
		for range size {
			const x = -1.2345679e-07
			e := rerank.Entry{ID: id(), Score: x, Parts: rerank.Parts{Cosine: x, Entities: x, Words: x, Date: x, Link: x}}
			entries = append(entries, e)
			changes.Entered, changes.Left = append(changes.Entered, e.ID), append(changes.Left, id())
		}
		u.Lists = append(u.Lists, rerank.List{Name: name, Entries: entries})
		u.Changes[name] = changes
		u.Cause = slices.Concat(u.Cause, changes.Entered, changes.Left)
	}
	return u
}

// TestLargestUpdate: the figures of doc.go, and that no generated update is larger than the worst one of its lists' size.
func TestLargestUpdate(t *testing.T) {
	t.Parallel()
	size := func(u *rerank.Update) int {
		msg, err := render(&rerank.OutMessage{Kind: rerank.KindUpdate, ID: u.ID, Revision: u.Revision, Recorded: u.Recorded, Update: u},
			Topics{Similar: similar, DeadLetters: dead}, "/kilim/"+uuid, uuid, math.MaxUint64)
		if err != nil {
			t.Fatal(err)
		}
		return (&outgoing{msg: msg}).bytes()
	}
	if got := size(worstUpdate(200)); got > 12<<20 || got < 11<<20 {
		t.Errorf("the largest update of lists of 200 has %d bytes", got)
	}
	if got := size(worstUpdate(10)); got > 700<<10 || got < 600<<10 {
		t.Errorf("the largest update of lists of 10 has %d bytes", got)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	letters := []rune{'<', '>', '&', '"', '\\', 'a', 'ü', '\u2028', '👀', '\U0010ffff'}
	for range 60 {
		id := func() string {
			var b strings.Builder
			r, one := letters[rng.IntN(len(letters))], rng.IntN(2) == 0
			for b.Len() <= 1020 {
				if !one {
					r = letters[rng.IntN(len(letters))]
				}
				b.WriteRune(r)
			}
			return b.String()
		}
		n := 1 + rng.IntN(10)
		u := worstUpdate(n)
		score := func() float32 { return float32(rng.NormFloat64()) * float32(math.Pow(10, float64(rng.IntN(40)-20))) }
		for l := range u.Lists {
			for i := range u.Lists[l].Entries {
				u.Lists[l].Entries[i] = rerank.Entry{ID: id(), Score: score(), Parts: rerank.Parts{Cosine: score(), Entities: score(), Words: score(), Date: score(), Link: score()}}
			}
		}
		for i := range u.Cause {
			u.Cause[i] = id()
		}
		// Numbers are a few bytes of each entry's; ids are what counts.
		if got, most := size(u), size(worstUpdate(n)); got > most {
			t.Fatalf("an update of lists of %d has %d bytes, the worst one %d", n, got, most)
		}
	}
}

// TestTooLargeUpdate: updates that their topic does not take are shortened, those around them are whole, and the publisher goes on.
func TestTooLargeUpdate(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{LeastTopicBytes, 100_000, 400_000} {
		c, m := newCluster(t, 1, kfake.BrokerConfigs(map[string]string{"message.max.bytes": strconv.Itoa(limit)})), newMemory()
		small := worstUpdate(0)
		small.ID, small.Cause = "small", nil
		m.put(rerank.EncodeUpdate(small), rerank.EncodeUpdate(worstUpdate(30)), rerank.EncodeUpdate(worstUpdate(200)), rerank.EncodeUpdate(small))
		cfg := c.config(t, m, &faults{})
		cfg.Compression, cfg.Metrics = "none", NewMetrics(nil)
		deliver(t, cfg, m)
		c.exactlyOnce(t, 4)
		var sizes []int
		for _, r := range c.read(t, similar) {
			var v struct {
				ID    string
				Lists map[string][]struct{ ID string }
			}
			if err := json.Unmarshal(r.Value, &v); err != nil || v.ID != string(r.Key) {
				t.Fatalf("%d: %v, id %.20q", limit, err, v.ID)
			}
			dropped, _ := strconv.Atoi(header(r, HeaderDropped))
			total := v.Lists[rerank.ListTotal]
			if (dropped > 0) != (v.ID != "small") || len(total) != len(v.Lists[rerank.ListGeneral]) {
				t.Errorf("%d: %d bytes of %.20q dropped, %d entries", limit, dropped, v.ID, len(total))
			}
			for i, e := range total {
				if want := fmt.Sprintf("%04d", 2+2*i); !strings.HasSuffix(e.ID, want) {
					t.Errorf("%d: place %d has %s, want %s", limit, i, e.ID[1020:], want)
				}
			}
			sizes = append(sizes, len(total))
		}
		want := map[int][]int{LeastTopicBytes: {0, 0, 0, 0}, 100_000: {0, 7, 6, 0}, 400_000: {0, 30, 25, 0}}[limit]
		if !slices.Equal(sizes, want) {
			t.Errorf("%d: lists of %d entries, want %d", limit, sizes, want)
		}
		if got := testutil.ToFloat64(cfg.Metrics.shortened.WithLabelValues(labelSimilar)); got != 2 {
			t.Errorf("%d: %v messages are counted as shortened, want 2", limit, got)
		}
	}
}
