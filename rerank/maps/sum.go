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
	if s.sparse {
		s.merge(v, sign)
		return
	}
	for i, x := range v {
		s.values[i] += sign * whole(x)
	}
}

// merge adds a vector to a sparse sum. What is 0 then is left out, so that a sum has no trace of what was taken away.
func (s *sum) merge(v []float32, sign int64) {
	var values []int64
	var places []int32
	put := func(place int, value int64) {
		if value != 0 {
			values, places = append(values, value), append(places, int32(place))
		}
	}
	at := 0
	for i, x := range v {
		if x == 0 {
			continue
		}
		for ; at < len(s.places) && int(s.places[at]) < i; at++ {
			put(int(s.places[at]), s.values[at])
		}
		had := int64(0)
		if at < len(s.places) && int(s.places[at]) == i {
			had = s.values[at]
			at++
		}
		put(i, had+sign*whole(x))
	}
	s.values, s.places = append(values, s.values[at:]...), append(places, s.places[at:]...)
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
