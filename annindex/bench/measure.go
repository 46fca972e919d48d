package main

import (
	"sync"
	"sync/atomic"
	"time"

	"kilim/annindex"
	"kilim/annindex/hnsw"
)

const (
	answers        = 10   // the answers a query asks for (K in the peers' README)
	tie            = 1e-6 // similarities closer than this count as equal
	lostEf         = 64   // the candidates of the searches of lost
	efConstruction = 200
	// rate takes the best of at least leastPasses passes, and passes for at least leastTime.
	leastPasses = 5
	leastTime   = 300 * time.Millisecond
)

// sweep returns the numbers of candidates that the peers' README has tried.
func sweep() []int {
	return []int{10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 256, 320, 384, 512, 768, 1024}
}

// searcher asks an index all queries, and keeps the memory of the answers for the next time.
type searcher struct {
	index *hnsw.Graph
	found [][]annindex.Hit
}

func newSearcher(index *hnsw.Graph, queries int) *searcher {
	s := &searcher{index: index, found: make([][]annindex.Hit, queries)}
	for i := range s.found {
		s.found[i] = make([]annindex.Hit, 0, answers)
	}
	return s
}

// all asks all queries once; threads share them.
func (s *searcher) all(queries [][]float32, ef, threads int) error {
	const share = 20 // queries that a thread takes at a time
	var next atomic.Int64
	return inParallel(threads, func() error {
		for {
			from := int(next.Add(share)) - share
			if from >= len(queries) {
				return nil
			}
			for i := from; i < min(from+share, len(queries)); i++ {
				found, err := s.index.SearchInto(s.found[i][:0], queries[i], answers, ef)
				if err != nil {
					return err
				}
				s.found[i] = found
			}
		}
	})
}

func inParallel(threads int, work func() error) error {
	errs := make([]error, threads)
	var wg sync.WaitGroup
	for t := range threads - 1 {
		wg.Go(func() { errs[t+1] = work() })
	}
	errs[0] = work()
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func dot(a, b []float32) (sum float64) {
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// recall returns the share of the answers in s.found that are at least as similar as the last true one. An id counts
// once a query.
func (s *searcher) recall(queries [][]float32, now state) float64 {
	good := 0
	for q, hits := range s.found {
		threshold := dot(queries[q], now.vectors[now.truth[q][answers-1]]) - tie
		seen := map[uint64]bool{}
		for _, h := range hits {
			if !seen[h.ID] && dot(queries[q], now.vectors[h.ID]) >= threshold {
				good++
			}
			seen[h.ID] = true
		}
	}
	return float64(good) / float64(answers*len(queries))
}

// rate returns the queries a second.
func (s *searcher) rate(queries [][]float32, ef, threads int) (float64, error) {
	var best, total time.Duration
	for pass := 0; pass < leastPasses || total < leastTime; pass++ {
		start := time.Now()
		if err := s.all(queries, ef, threads); err != nil {
			return 0, err
		}
		took := time.Since(start)
		total += took
		if pass == 0 || took < best {
			best = took
		}
	}
	return float64(len(queries)) / best.Seconds(), nil
}

// point is what measure finds at one ef.
type point struct {
	Ef           int
	Recall       float64
	Rate1, Rate2 float64 // queries a second, on one thread and on two
}

func (s *searcher) measure(queries [][]float32, now state, ef int) (p point, err error) {
	p.Ef = ef
	if err := s.all(queries, ef, 1); err != nil {
		return p, err
	}
	p.Recall = s.recall(queries, now)
	if p.Rate1, err = s.rate(queries, ef, 1); err != nil {
		return p, err
	}
	p.Rate2, err = s.rate(queries, ef, 2)
	return p, err
}

// smallest returns the smallest ef of sweep that has the recall target, or 0.
func (s *searcher) smallest(queries [][]float32, now state, target float64) (int, error) {
	for _, ef := range sweep() {
		if err := s.all(queries, ef, 1); err != nil {
			return 0, err
		}
		if s.recall(queries, now) >= target {
			return ef, nil
		}
	}
	return 0, nil
}

// lost returns the share of the vectors that a search for the vector itself does not find, nor another as similar.
func lost(index *hnsw.Graph, vectors [][]float32) (float64, error) {
	missing := 0
	var hits []annindex.Hit
	for id, v := range vectors {
		var err error
		if hits, err = index.SearchInto(hits[:0], v, answers, lostEf); err != nil {
			return 0, err
		}
		found := false
		for _, h := range hits {
			found = found || h.ID == uint64(id) || dot(v, vectors[h.ID]) >= 1-tie
		}
		if !found {
			missing++
		}
	}
	return float64(missing) / float64(len(vectors)), nil
}
