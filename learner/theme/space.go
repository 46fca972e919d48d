package theme

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"kilim/learner/encode/text"
)

// share is a view's part of the kernel. What is shared counts less, since the words repeat it. The values are those of the peer
// (shared/peers/themes/ridge.py), as fractions of 1.
var share = [numViews]float64{1 / 3.7, 1 / 3.7, 1 / 3.7, 0.7 / 3.7}

// least is in how many Works a feature must occur to count: what occurs once is shared with nobody.
var least = [numViews]int{2, 2, 3, 2}

// widest is how many coordinates a view gives to a vector, at most, the largest: a book's text must not cost more than a
// record's. A catalogue's record has some 30 words.
const widest = 1024

// vector is where a Work lies: the coordinates that are not 0, by rising feature. The square of its length is the sum of
// the shares of the views in which the Work has anything, 1 for a full record.
type vector []coordinate

// coordinate is one of a vector.
type coordinate struct {
	feature int32
	value   float32
}

// space weighs features by how rare they are among the Works that it was made of. It is not changed once made.
type space struct {
	analyzer *text.Encoder
	hash     []uint64         // of a feature, by its number, rising
	number   map[uint64]int32 // of a feature's hash
	weight   []float64        // by number
	viewOf   []view           // by number
}

func newAnalyzer() (*text.Encoder, error) {
	analyzer, err := text.NewEncoder(text.Config{})
	if err != nil {
		return nil, fmt.Errorf("theme: %w", err)
	}
	return analyzer, nil
}

func emptySpace(analyzer *text.Encoder) *space {
	return &space{analyzer: analyzer, number: map[uint64]int32{}}
}

func newSpace(works []Work) (*space, error) {
	analyzer, err := newAnalyzer()
	if err != nil {
		return nil, err
	}
	s := emptySpace(analyzer)
	type seen struct {
		of view
		df int
	}
	count := map[uint64]seen{}
	for i := range works {
		for v, own := range features(s.analyzer, &works[i]) {
			for _, f := range own {
				count[f.hash] = seen{view(v), count[f.hash].df + 1}
			}
		}
	}
	var kept []uint64
	for h, c := range count {
		if c.df >= least[c.of] {
			kept = append(kept, h)
		}
	}
	slices.Sort(kept) // so that sums don't depend on the order of the Works
	n := float64(len(works))
	for _, h := range kept {
		c := count[h]
		idf := math.Log((1+n)/(1+float64(c.df))) + 1
		if c.of == sharing {
			idf = math.Log(n / float64(c.df)) // what all share says nothing
		}
		s.add(h, c.of, idf)
	}
	return s, nil
}

func (s *space) add(hash uint64, v view, weight float64) {
	s.number[hash] = int32(len(s.hash))
	s.hash, s.viewOf, s.weight = append(s.hash, hash), append(s.viewOf, v), append(s.weight, weight)
}

// len is the number of features.
func (s *space) len() int { return len(s.hash) }

// vector is where a Work lies.
func (s *space) vector(w *Work) vector {
	var out vector
	for v, own := range features(s.analyzer, w) {
		out = append(out, s.seen(view(v), own)...)
	}
	slices.SortFunc(out, byFeature)
	return out
}

// seen are the coordinates of one view, their length the root of its share.
func (s *space) seen(v view, own []feature) vector {
	var out vector
	for _, f := range own {
		i, ok := s.number[f.hash]
		if !ok || s.weight[i] == 0 {
			continue
		}
		value := s.weight[i]
		if v != sharing {
			value *= 1 + math.Log(float64(f.count))
		}
		out = append(out, coordinate{i, float32(value)})
	}
	out = out.largest(widest)
	squared := 0.0
	for _, c := range out {
		squared += float64(c.value) * float64(c.value)
	}
	scale := math.Sqrt(share[v] / squared)
	for i := range out {
		out[i].value = float32(float64(out[i].value) * scale)
	}
	return out
}

// only are the coordinates of one view.
func (s *space) only(v view, of vector) vector {
	var out vector
	for _, c := range of {
		if s.viewOf[c.feature] == v {
			out = append(out, c)
		}
	}
	return out
}

// largest are the n coordinates farthest from 0, by rising feature. It reorders v.
func (v vector) largest(n int) vector {
	if len(v) <= n {
		return v
	}
	slices.SortFunc(v, func(a, b coordinate) int {
		return cmp.Or(cmp.Compare(b.value*b.value, a.value*a.value), byFeature(a, b))
	})
	v = v[:n]
	slices.SortFunc(v, byFeature)
	return v
}

func byFeature(a, b coordinate) int { return cmp.Compare(a.feature, b.feature) }

// dot is the inner product of two vectors.
func (v vector) dot(other vector) float64 {
	sum := 0.0
	for i, j := 0, 0; i < len(v) && j < len(other); {
		switch a, b := v[i], other[j]; {
		case a.feature < b.feature:
			i++
		case a.feature > b.feature:
			j++
		default:
			sum += float64(a.value) * float64(b.value)
			i, j = i+1, j+1
		}
	}
	return sum
}
