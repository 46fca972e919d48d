package topk

import (
	"math"
	"runtime"
	"slices"

	"kilim/annindex"
	"kilim/rerank/topk/bound"
)

// everyone finds and scores, for queries whose own evidence is weighed, all who are in their lists of so many entries and, where they are offered,
// all whose lists they enter, beside the candidates that they have. Who is neither has a bound that says so.
func (s *search) everyone(all []*found, total, general int, offered bool) error {
	scans := make([]*bound.Scan, len(all))
	for i := range scans {
		scans[i] = s.l.scans.Get().(*bound.Scan)
		defer s.l.scans.Put(scans[i])
	}
	queries := make([]bound.Query, len(all))
	for i, f := range all {
		if len(f.candidates) > 0 {
			s.setBefore(f)
		}
		queries[i] = bound.Query{Node: f.Node, Evidence: &f.kept.Prepared, Vector: f.Vector, Best: max(total, general), Offered: offered, Keep: s.keep}
	}
	share := (len(all) + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	each(slices.Collect(slices.Chunk(all, share)), func(i int, some []*found) {
		from, to := i*share, i*share+len(some)
		bound.Begin(s.table, scans[from:to], queries[from:to])
		for j, f := range some {
			s.l.candidates(f, scans[from+j].Found())
		}
	})
	for _, f := range all {
		if err := s.linked(f); err != nil {
			return err
		}
	}
	if err := s.stage2(all); err != nil {
		return err
	}
	scored := make([]int, len(all))
	each(all, func(i int, f *found) {
		scored[i] = len(f.candidates)
		s.l.candidates(f, scans[i].Rest(f.last(total, general)))
	})
	for i, f := range all {
		if err := s.weigh(f, scored[i]); err != nil {
			return err
		}
	}
	each(all, func(i int, f *found) { s.l.score(f, scored[i]) })
	return nil
}

// candidates adds nodes to a query's candidates. All count as near: the nearest are among them.
func (l *Lists) candidates(f *found, nodes []uint64) {
	vector := make([]float32, len(f.Vector))
	for _, node := range nodes {
		if _, ok := f.before[node]; !ok && l.index.Vector(node, vector) {
			f.candidates = append(f.candidates, candidate{node: node, cosine: annindex.Dot(f.Vector, vector), near: true})
		}
	}
}

// linked adds to a query's candidates those that a link leads to or from, which bounds leave out.
func (s *search) linked(f *found) error {
	var nodes []uint64
	add := func(node uint64) bool {
		if s.table.Has(node) && node != f.Node && (s.keep == nil || s.keep(node)) {
			nodes = append(nodes, node)
		}
		return true
	}
	for _, node := range f.Evidence.Links {
		add(node)
	}
	if err := s.g.LinkedFrom(f.Node, add); err != nil || len(nodes) == 0 {
		return err
	}
	s.setBefore(f)
	for _, node := range nodes {
		s.l.candidates(f, []uint64{node})
		f.before[node] = struct{}{}
	}
	return nil
}

// setBefore notes the candidates that a query has already. Those that bounds find are never found twice.
func (s *search) setBefore(f *found) {
	f.before = make(map[uint64]struct{}, len(f.candidates))
	for i := range f.candidates {
		f.candidates[i].near = true
		f.before[f.candidates[i].node] = struct{}{}
	}
}

// last are the scores of the last entries of a query's lists of so many, as far as its candidates are scored.
func (f *found) last(ofTotal, ofGeneral int) (total, general float32) {
	totals, generals := make([]float32, 0, ofTotal), make([]float32, 0, ofGeneral)
	for i := range f.candidates {
		totals = keepBest(totals, f.candidates[i].score)
		generals = keepBest(generals, f.candidates[i].cosine)
	}
	return lastOf(totals), lastOf(generals)
}

// keepBest puts a score into its place among the best so far, of which there is room for as many as the slice has.
func keepBest(best []float32, score float32) []float32 {
	n := len(best)
	switch {
	case n < cap(best):
		best = best[:n+1]
	case score <= best[n-1]:
		return best
	default:
		n--
	}
	for ; n > 0 && best[n-1] < score; n-- {
		best[n] = best[n-1]
	}
	best[n] = score
	return best
}

func lastOf(best []float32) float32 {
	if len(best) < cap(best) {
		return float32(math.Inf(-1))
	}
	return best[len(best)-1]
}
