package eval

import (
	"math/rand/v2"
	"slices"
)

// Interval is where a mean lies, with the level of Level.
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Level is the part of the resamples that an Interval holds.
const Level = 0.95

const resamples = 1000

// Bootstrap returns the mean of values and its interval. The same values and seed give the same interval.
func Bootstrap(values []float64, seed uint64) Interval {
	if len(values) == 0 {
		return Interval{}
	}
	rng := rand.New(rand.NewPCG(seed, 0xb007))
	means := make([]float64, resamples)
	for i := range means {
		sum := 0.0
		for range values {
			sum += values[rng.IntN(len(values))]
		}
		means[i] = sum / float64(len(values))
	}
	slices.Sort(means)
	out := Interval{Low: means[int(float64(resamples)*(1-Level)/2)], High: means[int(float64(resamples)*(1+Level)/2)-1]}
	for _, v := range values {
		out.Mean += v
	}
	out.Mean /= float64(len(values))
	return out
}

// Verdict is what the comparison of two systems over the same queries says.
type Verdict int

const (
	// Same is within noise.
	Same Verdict = iota
	// Better and Worse are beyond it.
	Better
	Worse
)

func (v Verdict) String() string { return [...]string{"same", "better", "worse"}[v] }

// Paired is the interval of the mean of b - a, query by query, and whether b is better than a: 0 lies
// outside of it. Both have one value a query, in the same order.
func Paired(a, b []float64, seed uint64) (Interval, Verdict) {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = b[i] - a[i]
	}
	in := Bootstrap(d, seed)
	switch {
	case in.Low > 0:
		return in, Better
	case in.High < 0:
		return in, Worse
	}
	return in, Same
}
