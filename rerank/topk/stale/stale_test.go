package stale

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestStaleQueue drives random stamps against a map that is searched in full.
func TestStaleQueue(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var q Queue
		dull := map[uint64]float64{}
		now, tol := 0.0, rng.Float64()*30
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
			got := q.Take(1000, now, tol)
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
