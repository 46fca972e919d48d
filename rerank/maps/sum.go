package maps

import (
	"math"
	"slices"
)

// one is a coordinate of 1 as a whole number.
const one = 1 << 30

// sum is of the vectors of some artifacts.
type sum struct {
	n, dim int
	sparse bool
	// values are the coordinates, all of them, or, of a sparse sum, those that are not 0, which are at places. These rise.
	values []int64
	places []int32
}

func (s *sum) add(v []float32, sign int64) {
	s.n += int(sign)
	for i, x := range v {
		s.values[i] += sign * whole(x)
	}
}

// term is a coordinate that is not 0.
type term struct {
	place int32
	value int64
}

// termsOf are those of a vector, by rising place.
func termsOf(v []float32) []term {
	var out []term
	for i, x := range v {
		if n := whole(x); n != 0 {
			out = append(out, term{int32(i), n})
		}
	}
	return out
}

// merge adds a vector to a sparse sum. What is 0 then is left out, so that a sum has no trace of what was taken away.
func (s *sum) merge(terms []term, sign int64) {
	s.n += int(sign)
	if s.inPlace(terms, sign) {
		return
	}
	values, places := make([]int64, 0, len(s.values)+len(terms)), make([]int32, 0, len(s.values)+len(terms))
	at := 0
	copyTo := func(to int) {
		values, places = append(values, s.values[at:to]...), append(places, s.places[at:to]...)
		at = to
	}
	for _, t := range terms {
		i, has := slices.BinarySearch(s.places[at:], t.place)
		copyTo(at + i)
		value := sign * t.value
		if has {
			value += s.values[at]
			at++
		}
		if value != 0 {
			values, places = append(values, value), append(places, t.place)
		}
	}
	copyTo(len(s.places))
	s.values, s.places = values, places
}

// inPlace adds a vector if all of its places are there, and none becomes 0, as is usual where a group is large. If not, nothing is changed.
func (s *sum) inPlace(terms []term, sign int64) bool {
	at := 0
	for done, t := range terms {
		i, has := slices.BinarySearch(s.places[at:], t.place)
		at += i
		if !has || s.values[at] == -sign*t.value {
			s.undo(terms[:done], sign)
			return false
		}
		s.values[at] += sign * t.value
	}
	return true
}

// undo takes away what inPlace has added.
func (s *sum) undo(terms []term, sign int64) {
	at := 0
	for _, t := range terms {
		i, _ := slices.BinarySearch(s.places[at:], t.place)
		at += i
		s.values[at] -= sign * t.value
	}
}

func whole(x float32) int64 { return int64(math.RoundToEven(float64(x) * one)) }

// mean is that of the vectors, as floats.
func (s *sum) mean() []float64 {
	out := make([]float64, s.dim)
	for i, x := range s.values {
		place := i
		if s.sparse {
			place = int(s.places[i])
		}
		out[place] = float64(x) / one / float64(s.n)
	}
	return out
}

func (s *sum) equal(o *sum) bool {
	return s.n == o.n && slices.Equal(s.values, o.values) && slices.Equal(s.places, o.places)
}
