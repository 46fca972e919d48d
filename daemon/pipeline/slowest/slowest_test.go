package slowest

import (
	"cmp"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// TestAgainstAll compares, over seeded streams, with a copy that forgets nothing: what is shown are the slowest of the last hour.
func TestAgainstAll(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var l Log
		var all []Batch
		now := time.Unix(1e9, 0)
		published := 0
		for revision := range uint64(400) {
			now = now.Add(time.Duration(rng.IntN(20_000)) * time.Millisecond)
			b := Batch{Revision: revision, Came: now, Records: 1 + rng.IntN(3)}
			l.Applied(b)
			all = append(all, b)
			for published < len(all) && rng.IntN(4) > 0 { // some wait for later ones
				b := &all[published]
				for range b.Records {
					now = now.Add(time.Duration(rng.IntN(500)) * time.Millisecond)
					recorded := b.Came.Add(-time.Duration(rng.IntN(5000)) * time.Millisecond)
					l.Published(b.Revision, recorded, now)
					b.Published, b.Fresh = now, max(b.Fresh, now.Sub(recorded))
				}
				published++
			}
			since := now.Add(-time.Duration(rng.IntN(5000)) * time.Second)
			want := slices.DeleteFunc(slices.Clone(all[:published]), func(b Batch) bool {
				p := periodOf(b.Published)
				return p <= periodOf(now)-periods || p < periodOf(since)
			})
			slices.SortStableFunc(want, func(x, y Batch) int { return cmp.Compare(y.Fresh, x.Fresh) })
			want = want[:min(len(want), Most)]
			if got := l.Batches(since, now); len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, revision %d: the slowest are %+v, want %+v", seed, revision, got, want)
			}
		}
		if len(l.Batches(time.Time{}, now.Add(periods*period))) > 0 {
			t.Errorf("seed %d: an hour later there are still some", seed)
		}
	}
}

// TestBounds: what is never published is forgotten, and what nobody has applied is no batch.
func TestBounds(t *testing.T) {
	t.Parallel()
	var l Log
	now := time.Unix(1e9, 0)
	for revision := range uint64(3 * mostOpen) {
		l.Applied(Batch{Revision: revision})
	}
	if len(l.open) != mostOpen {
		t.Errorf("%d units are open, want %d", len(l.open), mostOpen)
	}
	for _, revision := range []uint64{0, 2*mostOpen - 1, 5 * mostOpen} {
		if l.Published(revision, now, now); len(l.Batches(now, now)) > 0 {
			t.Errorf("a batch of revision %d, of which nothing is known", revision)
		}
	}
	if l.Published(2*mostOpen, now, now); len(l.Batches(now, now)) != 1 {
		t.Error("the oldest that is known is not there")
	}
}
