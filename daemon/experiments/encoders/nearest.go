package encoders

import "math"

// sample is what a task is asked about.
type sample struct {
	labels []string
	apart  []string // when given, neighbours with the same are not counted
}

// candidate tells whether j may be a neighbour of i.
func (s *sample) candidate(i, j int) bool {
	return i != j && (s.apart == nil || s.apart[i] != s.apart[j])
}

// score judges the labels of the k nearest.
type score struct {
	unit string
	k    int
	// of is the score when hits of the k nearest have the label.
	of func(hits, k int) float64
	// chance is what a random order of n candidates, m of them with the label, would get.
	chance func(n, m, k int) float64
}

// precision is the share of the k nearest that have the label.
func precision(k int) score {
	return score{
		unit: "share of the nearest 5", k: k,
		of:     func(hits, k int) float64 { return float64(hits) / float64(k) },
		chance: func(n, m, _ int) float64 { return float64(m) / float64(n) },
	}
}

// found is whether any of the k nearest has it.
func found(k int) score {
	return score{
		unit: "found in the first 3", k: k,
		of: func(hits, _ int) float64 { return float64(min(hits, 1)) },
		chance: func(n, m, k int) float64 {
			none := 1.0
			for i := range k {
				none *= max(float64(n-m-i), 0) / float64(n-i)
			}
			return 1 - none
		},
	}
}

// measure is the score of each query: those that have a candidate with their label. Ties
// are broken against the encoder: the wrong label comes first.
func (s *sample) measure(sc score, likeness func(i, j int) float64) (values, chances []float64) {
	type neighbour struct {
		at   float64
		same bool
	}
	for i := range s.labels {
		var best []neighbour
		n, m := 0, 0
		for j := range s.labels {
			if !s.candidate(i, j) {
				continue
			}
			v := neighbour{likeness(i, j), s.labels[i] == s.labels[j]}
			n++
			if v.same {
				m++
			}
			before := func(a, b neighbour) bool { return a.at > b.at || a.at == b.at && !a.same && b.same }
			if len(best) == sc.k && !before(v, best[len(best)-1]) {
				continue
			}
			if len(best) < sc.k {
				best = append(best, v)
			}
			at := len(best) - 1
			for ; at > 0 && before(v, best[at-1]); at-- {
				best[at] = best[at-1]
			}
			best[at] = v
		}
		if m == 0 || n < sc.k {
			continue
		}
		hits := 0
		for _, v := range best {
			if v.same {
				hits++
			}
		}
		values = append(values, sc.of(hits, sc.k))
		chances = append(chances, sc.chance(n, m, sc.k))
	}
	return values, chances
}

// ask measures all rounds and takes the mean of each query's scores.
func (s *sample) ask(sc score, all rounds) (values, chances []float64) {
	for _, likeness := range all {
		var round []float64
		round, chances = s.measure(sc, likeness)
		if values == nil {
			values = make([]float64, len(round))
		}
		for i, v := range round {
			values[i] += v / float64(len(all))
		}
	}
	return values, chances
}

// cosine of two vectors; 0 when one is zero.
func cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i, v := range a {
		w := b[i]
		dot += float64(v) * float64(w)
		aa += float64(v) * float64(v)
		bb += float64(w) * float64(w)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return dot / math.Sqrt(aa*bb)
}
