package eval

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is a mean and the interval in which it lies.
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Level is the share of the resamples that an Interval holds, where no other is asked for.
const Level = 0.95

// Bootstrap returns the mean of values and its Interval. The same values and seed give the same Interval.
func Bootstrap(values []float64, seed uint64) Interval { return bootstrap(values, Level, seed) }

// BootstrapOf is Bootstrap of a statistic of n queries that is no mean. statistic is given the indices of a resample;
// Mean is the statistic of all n.
func BootstrapOf(n int, statistic func(places []int) float64, seed uint64) Interval {
	return resample(n, statistic, Level, seed)
}

// tailResamples is how many resamples lie beyond each end of an Interval, at least: with fewer the end would be left to
// chance.
const tailResamples = 25

func bootstrap(values []float64, level float64, seed uint64) Interval {
	return resample(len(values), func(places []int) float64 {
		sum := 0.0
		for _, p := range places {
			sum += values[p]
		}
		return sum / float64(len(places))
	}, level, seed)
}

func resample(n int, statistic func(places []int) float64, level float64, seed uint64) Interval {
	if n == 0 {
		return Interval{}
	}
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	out := Interval{Mean: statistic(places)}
	rng := rand.New(rand.NewPCG(seed, 0xb007))
	beyond := (1 - level) / 2
	resamples := max(1000, int(math.Ceil(tailResamples/beyond)))
	drawn := make([]float64, resamples)
	for i := range drawn {
		for j := range places {
			places[j] = rng.IntN(n)
		}
		drawn[i] = statistic(places)
	}
	slices.Sort(drawn)
	out.Low, out.High = drawn[int(float64(resamples)*beyond)], drawn[resamples-1-int(float64(resamples)*beyond)]
	return out
}

// Verdict is the outcome of comparing two systems over the same queries.
type Verdict int

const (
	// Same is a difference within noise.
	Same Verdict = iota
	// Better and Worse are differences beyond noise.
	Better
	Worse
)

func (v Verdict) String() string { return [...]string{"same", "better", "worse"}[v] }

// Verdict of the Interval of a gain: beyond noise if 0 lies outside of it.
func (i Interval) Verdict() Verdict {
	switch {
	case i.Low > 0:
		return Better
	case i.High < 0:
		return Worse
	}
	return Same
}

// Paired returns the Interval of the mean of b - a, query by query, and its Verdict on b. Both have one value for each
// query, in the same order.
func Paired(a, b []float64, seed uint64) (Interval, Verdict) { return PairedAt(a, b, Level, seed) }

// PairedAt is Paired at a level in 0..1. Of several comparisons made at once each needs a higher level.
func PairedAt(a, b []float64, level float64, seed uint64) (Interval, Verdict) {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = b[i] - a[i]
	}
	in := bootstrap(d, level, seed)
	return in, in.Verdict()
}
