// Package stats has the quantiles by which the experiments compare runs. It knows nothing of what was measured.
package stats

import (
	"math"
	"slices"
)

// Quantile interpolates linearly between the two nearest values, as
// numpy.percentile does for the Python peers (type 7 of Hyndman & Fan 1996). Values must
// not be empty.
func Quantile(values []float64, q float64) float64 {
	v := slices.Sorted(slices.Values(values))
	at := q * float64(len(v)-1)
	low := int(math.Floor(at))
	if low+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[low] + (at-float64(low))*(v[low+1]-v[low])
}

// Median is the mean of the two in the middle when the number of values is even.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// MedianOf is the median of a figure over runs.
func MedianOf[T any](runs []T, figure func(T) float64) float64 {
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = figure(r)
	}
	return Median(values)
}
