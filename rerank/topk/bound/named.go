package bound

import (
	"iter"
	"math"
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

// bound is that of the total score, with the dates as they are.
func (s *Scan) bound(slot uint32) float32 {
	bound := s.total[slot]
	if s.dated && s.t.column(slot).get(rowDated) > 0 {
		begin, end := s.q.Evidence.Dates()
		of := &s.t.said[slot]
		bound -= s.factors.dated * (1 - s.t.scorer.Date(begin, end, of.begin, of.end))
	}
	return bound
}

// takeLikeliest finds the slots of the greatest bounds. At least as many slots as are wanted have a bound as great as the least of as many strides'
// greatest; only where some of these are not to be named are others looked at.
func (s *Scan) takeLikeliest(l *likeliest, bounds []float32, of func(*peak) float32) {
	if l.most == 0 {
		return
	}
	s.greatest = s.greatest[:0]
	for i := range s.peaks {
		s.greatest = keepGreatest(s.greatest, of(&s.peaks[i]), l.most)
	}
	from := float32(math.Inf(-1))
	if len(s.greatest) == l.most {
		from = s.greatest[l.most-1]
	}
	for {
		for i := range s.peaks {
			if peak := of(&s.peaks[i]); peak < from || peak <= l.least {
				continue
			}
			for slot := i * stride; slot < (i+1)*stride; slot++ {
				if bound := bounds[slot]; bound >= from && bound > l.least {
					l.offer(s, uint32(slot), bound)
				}
			}
		}
		if len(l.all) == l.most || math.IsInf(float64(from), -1) {
			return
		}
		from = float32(math.Inf(-1))
		l.begin(l.most)
	}
}

// keepGreatest puts a number into its place among the most greatest, the greatest first.
func keepGreatest(all []float32, x float32, most int) []float32 {
	at := len(all)
	if at == most {
		if at == 0 || x <= all[at-1] {
			return all
		}
		at--
	} else {
		all = append(all, 0)
	}
	for ; at > 0 && all[at-1] < x; at-- {
		all[at] = all[at-1]
	}
	all[at] = x
	return all
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
	if int(slot) >= len(s.t.nodes) {
		return false // of the last block, which has no artifact there yet
	}
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
