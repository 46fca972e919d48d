package bound

import (
	"iter"
	"math"

	"kilim/learner/tensor/vec"
)

// lookUp adds to sums, by slot, what rare terms of the query bring to artifacts that have them, but for the scale of an artifact's own
// weights, and returns the length of the others.
func (s *Scan) lookUp(x *terms, weights iter.Seq2[uint64, float32], part float32, sums []float32) float32 {
	clear(sums)
	common := 0.0
	for key, weight := range weights {
		t := x.get(key)
		if t == nil {
			continue
		}
		if t.common {
			common += float64(weight) * float64(weight)
			continue
		}
		s.Work.Postings += len(t.had)
		part := part * weight * t.idf
		for _, p := range t.had {
			sums[p.slot] += part * p.frequency
		}
	}
	return float32(math.Sqrt(common))
}

// addScaled adds sums, each times its scale, to total.
func addScaled(total, sums, scales []float32) {
	sums, scales = sums[:len(total)], scales[:len(total)]
	for i := range total {
		total[i] += sums[i] * scales[i]
	}
}

// bound is that of the total score, with the dates as they are.
func (s *Scan) bound(slot uint32) float32 {
	bound := s.total[slot]
	if s.dated && s.t.column(slot).get(rowDated) > 0 {
		begin, end := s.q.Evidence.Dates()
		of := &s.t.said[slot]
		bound -= s.whole[rowDated] * (1 - s.t.scorer.Date(begin, end, of.begin, of.end))
	}
	return bound
}

// peak notes the greatest bounds of a block from a slot on, and who is likeliest.
func (s *Scan) peak(from int, total, general []float32) {
	for at := 0; at < len(total); at += stride {
		to := min(at+stride, len(total))
		peak := [2]float32{vec.Max(total[at:to]), vec.Max(general[at:to])}
		s.peaks = append(s.peaks, peak)
		for i, bounds := range [][]float32{total, general} {
			if l := &s.likeliest[i]; peak[i] > l.least {
				for j, bound := range bounds[at:to] {
					if bound > l.least {
						l.offer(s, uint32(from+at+j), bound)
					}
				}
			}
		}
	}
}

// reach calls name for the slots from the given one on whose bound may be enough; least is their row of what is, negative.
func (s *Scan) reach(from int, bounds, least []float32, name func(slot uint32)) {
	sums := s.sums[:len(bounds)]
	copy(sums, bounds)
	vec.Axpy(1, least[:len(bounds)], sums)
	for at := 0; at < len(sums); at += stride {
		some := sums[at:min(at+stride, len(sums))]
		if vec.Max(some) <= -s.slack {
			continue
		}
		for i, sum := range some {
			if sum > -s.slack {
				name(uint32(from + at + i))
			}
		}
	}
}

// nameInTotal names one whose list it may enter, if that is so with the dates as they are.
func (s *Scan) nameInTotal(slot uint32) {
	if !s.named[slot] && s.bound(slot)+s.t.column(slot).get(rowTotal) > -s.slack {
		s.name(slot)
	}
}

// name returns an artifact, once.
func (s *Scan) name(slot uint32) {
	if s.named[slot] || !s.wanted(slot) {
		return
	}
	s.named[slot] = true
	s.order = append(s.order, slot)
	s.nodes = append(s.nodes, s.t.nodes[slot])
	s.Work.Named++
}

// wanted is false for the query itself and for those that are gone or left out.
func (s *Scan) wanted(slot uint32) bool {
	node := s.t.nodes[slot]
	return node != 0 && !s.t.gone[slot] && node != s.q.Node && (s.q.Keep == nil || s.q.Keep(node))
}

// likeliest are the slots of the greatest bounds, the greatest first.
type likeliest struct {
	all   []likelyOne
	most  int
	least float32 // which a bound must be above to be among them
}

type likelyOne struct {
	slot  uint32
	bound float32
}

func (l *likeliest) begin(most int) {
	l.all, l.most, l.least = l.all[:0], most, float32(math.Inf(-1))
}

// offer takes up a slot that is wanted and not there yet.
func (l *likeliest) offer(s *Scan, slot uint32, bound float32) {
	if bound <= l.least || !s.wanted(slot) {
		return
	}
	at := len(l.all)
	for at > 0 && l.all[at-1].bound < bound {
		at--
	}
	if len(l.all) < l.most {
		l.all = append(l.all, likelyOne{})
	}
	copy(l.all[at+1:], l.all[at:])
	l.all[at] = likelyOne{slot, bound}
	if len(l.all) == l.most {
		l.least = l.all[l.most-1].bound
	}
}
