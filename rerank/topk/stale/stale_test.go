package stale

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestStaleQueue drives random stamps against a map that is searched in full.
func TestStaleQueue(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var q Queue
		dull := map[uint64]float64{}
		now, tol := 0.0, rng.Float64()*30
		var tick time.Time
		q.Waits.Now = func() time.Time { return tick }
		since := map[uint64]time.Time{} // when each was first seen to be stale
		// One that never gets another stamp keeps the entries behind it, until they are packed.
		q.Set(99, now)
		dull[99] = now
		for range 3000 {
			id := uint64(rng.IntN(30))
			switch rng.IntN(6) {
			case 0:
				q.Remove(id)
				delete(dull, id)
			case 1:
				if _, ok := dull[id]; ok && rng.IntN(2) == 0 {
					q.Set(id, Never)
					dull[id] = Never
				} else if ok {
					q.Hurry(id)
					dull[id] = Never
				}
			case 2:
				now += rng.Float64()
			default:
				q.Set(id, now)
				dull[id] = now
			}
			var want int
			for _, at := range dull {
				if at == Never || now-at > tol {
					want++
				}
			}
			if got := q.Count(now, tol); got != want {
				t.Fatalf("seed %d: %d stale, want %d", seed, got, want)
			}
			for id := range since {
				if at, ok := dull[id]; !ok || !(at == Never || now-at > tol) {
					delete(since, id)
				}
			}
			for id, at := range dull {
				if _, ok := since[id]; !ok && (at == Never || now-at > tol) {
					since[id] = tick
				}
			}
			oldest, waits := q.Waits.Oldest()
			if waits != (want > 0) || waits && !oldest.Equal(slices.MinFunc(slices.Collect(maps.Values(since)), time.Time.Compare)) {
				t.Fatalf("seed %d: the oldest of %d is stale since %v, %v: want the first of %v", seed, want, oldest, waits, since)
			}
			tick = tick.Add(time.Second)
			got := q.Take(1000, now, tol)
			if s, ok := q.Oldest(); ok != (len(dull) > 0) || ok && s.At != slices.Min(slices.Collect(maps.Values(dull))) || want > 0 && s.ID != got[0] {
				t.Fatalf("seed %d: the oldest is %+v, %v; the first taken of %d is %v", seed, s, ok, len(dull), got)
			}
			if n := int(seed) % 4; len(q.Take(n, now, tol)) != min(n, want) {
				t.Fatalf("seed %d: took more or less than %d of %d", seed, n, want)
			}
			slices.Sort(got)
			if len(slices.Compact(got)) != want || len(got) != want {
				t.Fatalf("seed %d: took %v, want %d", seed, got, want)
			}
			for _, id := range got {
				if at, ok := dull[id]; !ok || !(at == Never || now-at > tol) {
					t.Fatalf("seed %d: %d is not stale", seed, id)
				}
			}
		}
	}
}

// TestHurriedIsTaken hurries more than are taken, again and again, in each order: those that waited are all taken all the same.
func TestHurriedIsTaken(t *testing.T) {
	t.Parallel()
	const all, taken, hurried = 120, 4, 60
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var q Queue
		waiting := map[uint64]bool{}
		for id := range uint64(all) {
			q.Set(id, Never)
			waiting[id] = true
		}
		next := uint64(0)
		for round := 0; len(waiting) > 0; round++ {
			if round == all/taken {
				t.Fatalf("seed %d: after %d rounds of %d, %d of %d were never taken", seed, round, taken, len(waiting), all)
			}
			for range hurried {
				if next++; seed > 0 {
					next = uint64(rng.IntN(all))
				}
				q.Hurry(next % all)
			}
			for _, id := range q.Take(taken, 1, 0) {
				q.Set(id, 1)
				delete(waiting, id)
			}
		}
	}
}
