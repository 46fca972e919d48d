package hnsw

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkFilters measures what searchOrScan weighs (followCost, scoreCost): the time by the id of a scan with a
// filter that lets none pass and of one that lets all pass, and the time by the candidate of a walk.
func BenchmarkFilters(b *testing.B) {
	const dim, n, ef = 128, 20_000, 400
	rng := rand.New(rand.NewPCG(1, 1))
	next := clusters(rng, dim, 200)
	g, err := New(Config{Dim: dim, EfConstruction: 60, Capacity: n})
	if err != nil {
		b.Fatal(err)
	}
	for id := range uint64(n) {
		if err := g.Put(id, next()); err != nil {
			b.Fatal(err)
		}
	}
	s, q := g.scratch(), next()
	for name, keep := range map[string]func(uint64) bool{
		"none": func(id uint64) bool { return id == n }, "all": func(id uint64) bool { return id < n },
	} {
		b.Run(fmt.Sprintf("scan/%s", name), func(b *testing.B) {
			for b.Loop() {
				g.scan(s, nil, q, 10, keep, g.arena.Load())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/id")
		})
	}
	b.Run("walk", func(b *testing.B) {
		for b.Loop() {
			g.search(s, nil, q, 10, ef, nil, g.arena.Load())
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*ef), "ns/candidate")
	})
}
