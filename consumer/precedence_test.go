package consumer

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestNewest moves artifacts between partitions and reads the partitions in random batches and orders: in the end each artifact is
// what its latest record says. A record that is deleted leaves nothing to compare with, so that deletions are of those that nothing
// older follows.
func TestNewest(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 18))
		partitions, ids := 1+rng.IntN(4), 1+rng.IntN(5)
		logs := make([][]Item, partitions)
		want := map[string]int64{} // by id, the time of its latest record
		for now := int64(1); now <= 40; now++ {
			p, id := rng.IntN(partitions), fmt.Sprint(rng.IntN(ids))
			at := time.UnixMilli(now)
			if rng.IntN(10) == 0 && len(logs[p]) > 0 { // producers' times are no order within a partition
				at = time.UnixMilli(now + 1)
			}
			logs[p] = append(logs[p], Item{ID: id, Record: Record{Topic: "in", Partition: p, Offset: int64(len(logs[p])), Time: at, Value: []byte("x")}})
			want[id] = at.UnixMilli()
		}
		state := map[string]Source{}
		for {
			var batch []Item
			for range 1 + rng.IntN(12) {
				if p := rng.IntN(partitions); len(logs[p]) > 0 {
					batch, logs[p] = append(batch, logs[p][0]), logs[p][1:]
				}
			}
			left := 0
			for _, log := range logs {
				left += len(log)
			}
			newest, err := Newest(len(batch), func(i int) *Item { return &batch[i] }, func(id string) (Source, error) { return state[id], nil })
			if err != nil {
				t.Fatal(err)
			}
			for id, i := range newest {
				if batch[i].ID != id {
					t.Fatalf("seed %d: record %d is of %s, not of %s", seed, i, batch[i].ID, id)
				}
				state[id] = batch[i].Source()
			}
			if left == 0 {
				break
			}
		}
		for id, at := range want {
			if got := state[id].Time.UnixMilli(); got < at-1 || got > at+1 {
				t.Errorf("seed %d: %s is of the time %d, its latest record of %d", seed, id, got, at)
			}
		}
	}
}

// TestSupersedes are the cases of the rule.
func TestSupersedes(t *testing.T) {
	t.Parallel()
	at := func(topic string, p int, ms int64) Source { return Source{topic, p, time.UnixMilli(ms)} }
	for name, c := range map[string]struct {
		before, later Source
		want          bool
	}{
		"an older one of another partition":   {at("in", 0, 20), at("in", 1, 10), true},
		"an older one of another topic":       {at("in", 0, 20), at("new", 0, 10), true},
		"an older one of the same partition":  {at("in", 0, 20), at("in", 0, 10), false},
		"a newer one of another partition":    {at("in", 0, 20), at("in", 1, 30), false},
		"one of the same time":                {at("in", 0, 20), at("in", 1, 20), false},
		"one without a time":                  {at("in", 0, 20), at("in", 1, -1), false},
		"one without any time":                {at("in", 0, 20), Source{"in", 1, time.Time{}}, false},
		"nothing is stored":                   {Source{}, at("in", 1, 10), false},
		"what is stored has no time":          {at("in", 0, -1), at("in", 1, 10), false},
		"both are without a time, apart":      {at("in", 0, -1), at("in", 1, -1), false},
		"an older one by a millisecond":       {at("in", 3, 1_800_000_000_001), at("in", 2, 1_800_000_000_000), true},
		"a record of before 1970, as no time": {at("in", 0, 20), at("in", 1, 0), false},
	} {
		if got := c.before.Supersedes(c.later); got != c.want {
			t.Errorf("%s: superseded %v", name, got)
		}
	}
}
