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
				if _, ok := dull[id]; ok {
					q.Set(id, Never)
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
