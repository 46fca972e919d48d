package theme

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"kilim/graphstore/weave"
	"kilim/learner/encode/text"
)

// view is one of the ways in which a Work is looked at.
type view int

const (
	words      view = iota // 1- and 2-grams of the words of all texts
	titleWords             // the same of the title
	titleChars             // 3- to 5-grams of the characters of the title's words, with a mark at both ends
	entities
	numViews
)

// share is a view's part of the kernel. Entities count less, since the words repeat them. The values are those of the peer
// (shared/peers/themes/ridge.py), as fractions of 1.
var share = [numViews]float64{1 / 3.7, 1 / 3.7, 1 / 3.7, 0.7 / 3.7}

// least is in how many Works a feature must occur to count: what occurs once is shared with nobody.
var least = [numViews]int{2, 2, 3, 2}

// Vector is what a Space makes of a Work: the coordinates that are not 0, by rising Index. The square of its length is the sum of
// the shares of the views in which the Work has anything, 1 for a full record.
type Vector []Coordinate

// Coordinate is one of a Vector. Feature numbers the features of a Space.
type Coordinate struct {
	Feature int32
	Value   float32
}

// Space weighs features by how rare they are among the Works that it was made of.
type Space struct {
	analyzer *text.Encoder
	number   map[uint64]int32 // of a feature's hash
	weight   []float64        // by number
	viewOf   []view           // by number
}

// NewSpace makes a Space of Works.
func NewSpace(works []Work) (*Space, error) {
	analyzer, err := text.NewEncoder(text.Config{})
	if err != nil {
		return nil, fmt.Errorf("theme: %w", err)
	}
	s := &Space{analyzer: analyzer, number: map[uint64]int32{}}
	type seen struct {
		of view
		df int
	}
	count := map[uint64]seen{}
	for i := range works {
		for v, features := range s.features(&works[i]) {
			for _, f := range features {
				c := count[f.hash]
				count[f.hash] = seen{view(v), c.df + 1}
			}
		}
	}
	kept := make([]uint64, 0, len(count))
	for h, c := range count {
		if c.df >= least[c.of] {
			kept = append(kept, h)
		}
	}
	slices.Sort(kept) // so that sums don't depend on the order of the Works
	n := float64(len(works))
	for i, h := range kept {
		c := count[h]
		idf := math.Log((1+n)/(1+float64(c.df))) + 1
		if c.of == entities {
			idf = math.Log(n / float64(c.df)) // what all share says nothing
		}
		s.number[h] = int32(i)
		s.weight, s.viewOf = append(s.weight, idf), append(s.viewOf, c.of)
	}
	return s, nil
}

// Len is the number of features.
func (s *Space) Len() int { return len(s.weight) }

// Vector is where a Work lies.
func (s *Space) Vector(w *Work) Vector {
	var out Vector
	for v, features := range s.features(w) {
		from, squared := len(out), 0.0
		for _, f := range features {
			i, ok := s.number[f.hash]
			if !ok {
				continue
			}
			value := s.weight[i]
			if view(v) != entities {
				value *= 1 + math.Log(float64(f.count))
			}
			out = append(out, Coordinate{i, float32(value)})
			squared += value * value
		}
		if squared == 0 {
			out = out[:from]
			continue
		}
		scale := math.Sqrt(share[v] / squared)
		for i := range out[from:] {
			out[from+i].Value = float32(float64(out[from+i].Value) * scale)
		}
	}
	slices.SortFunc(out, func(a, b Coordinate) int { return cmp.Compare(a.Feature, b.Feature) })
	return out
}

// feature is one that a Work has, and how often.
type feature struct {
	hash  uint64
	count int
}

// features are those of a Work in each view, each once, by hash.
func (s *Space) features(w *Work) [numViews][]feature {
	var all [numViews][]uint64
	for _, t := range w.Texts {
		all[words] = s.grams(all[words], words, t)
	}
	all[titleWords] = s.grams(nil, titleWords, w.Title)
	for _, word := range s.analyzer.Words(w.Title) {
		marked := []rune(" " + word + " ")
		for n := 3; n <= 5; n++ {
			for i := 0; i+n <= len(marked); i++ {
				all[titleChars] = append(all[titleChars], hashOf(titleChars, string(marked[i:i+n])))
			}
		}
	}
	for _, e := range w.Entities {
		all[entities] = append(all[entities], hashOf(entities, e))
	}
	var out [numViews][]feature
	for v, hashes := range all {
		slices.Sort(hashes)
		for i, h := range hashes {
			if i > 0 && h == hashes[i-1] {
				out[v][len(out[v])-1].count++
			} else {
				out[v] = append(out[v], feature{h, 1})
			}
		}
	}
	return out
}

// grams appends the hashes of a text's words, and of each two that follow one another.
func (s *Space) grams(out []uint64, v view, t weave.Text) []uint64 {
	before := ""
	for _, word := range s.analyzer.Words(t) {
		out = append(out, hashOf(v, word))
		if before != "" {
			out = append(out, hashOf(v, before+" "+word))
		}
		before = word
	}
	return out
}

// hashOf is the hash of a feature of a view. Two features of one hash are taken for one.
func hashOf(v view, name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte{byte(v)})
	_, _ = h.Write([]byte(name))
	return h.Sum64()
}

// overlap is the inner product of two Vectors in one view.
func (s *Space) overlap(a, b Vector, v view) float64 {
	sum := 0.0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch c := cmp.Compare(a[i].Feature, b[j].Feature); {
		case c < 0:
			i++
		case c > 0:
			j++
		default:
			if s.viewOf[a[i].Feature] == v {
				sum += float64(a[i].Value) * float64(b[j].Value)
			}
			i, j = i+1, j+1
		}
	}
	return sum
}
