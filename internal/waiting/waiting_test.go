package waiting

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestOldest drives random beginnings and ends against a map that is searched in full.
func TestOldest(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 4))
		now := time.Unix(1000, 0)
		s := Since{Now: func() time.Time { return now }}
		want := map[uint64]time.Time{}
		begin := func(id uint64) {
			s.Begin(id)
			if _, ok := want[id]; !ok {
				want[id] = now
			}
		}
		begin(1 << 40) // which keeps the void entries behind it, until they are packed
		for range 6000 {
			if rng.IntN(3) == 0 {
				now = now.Add(time.Duration(rng.IntN(1000)))
			}
			id := uint64(rng.IntN(40))
			if rng.IntN(2) == 0 {
				begin(id)
			} else {
				s.End(id)
				delete(want, id)
			}
			if rng.IntN(2000) == 0 {
				s.End(1 << 40)
				delete(want, 1<<40)
			}
			var oldest time.Time
			for _, from := range want {
				if oldest.IsZero() || from.Before(oldest) {
					oldest = from
				}
			}
			if got, ok := s.Oldest(); ok != (len(want) > 0) || !got.Equal(oldest) || s.Len() != len(want) {
				t.Fatalf("seed %d: %d wait, the oldest since %v (%v): want %d, %v", seed, s.Len(), got, ok, len(want), oldest)
			}
		}
		if len(s.order) > 1024+4*len(want) {
			t.Errorf("seed %d: %d entries are kept for %d that wait", seed, len(s.order), len(want))
		}
	}
}
