package main

import (
	"math"
	"slices"
)

// quantile interpolates linearly between the two nearest values, as
// numpy.percentile does for the peer (type 7 of Hyndman & Fan 1996). values must
// not be empty.
func quantile(values []float64, q float64) float64 {
	v := slices.Sorted(slices.Values(values))
	at := q * float64(len(v)-1)
	low := int(math.Floor(at))
	if low+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[low] + (at-float64(low))*(v[low+1]-v[low])
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// medianOf is the median of a figure over runs.
func medianOf[T any](runs []T, figure func(T) float64) float64 {
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = figure(r)
	}
	return median(values)
}
