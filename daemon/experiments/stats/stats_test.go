package stats

import (
	"math"
	"slices"
	"testing"
)

// The wanted values are numpy.percentile's.
func TestQuantile(t *testing.T) {
	t.Parallel()
	values := []float64{9, 1, 4, 16}
	given := slices.Clone(values)
	for q, want := range map[float64]float64{0: 1, 0.25: 3.25, 0.5: 6.5, 0.75: 10.75, 0.99: 15.79, 1: 16} {
		if got := Quantile(values, q); math.Abs(got-want) > 1e-12 {
			t.Errorf("the quantile %v is %v, want %v", q, got, want)
		}
	}
	if !slices.Equal(values, given) {
		t.Errorf("the values were put into another order: %v", values)
	}
	if got := Quantile([]float64{3}, 0.99); got != 3 {
		t.Errorf("of one value: %v", got)
	}
}

func TestMedianOf(t *testing.T) {
	t.Parallel()
	if got := MedianOf([]string{"a", "seven", "two"}, func(s string) float64 { return float64(len(s)) }); got != 3 {
		t.Errorf("%v", got)
	}
	if got := Median([]float64{1, 2, 10, 20}); got != 6 {
		t.Errorf("%v", got)
	}
}
