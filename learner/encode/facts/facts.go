package facts

import (
	"fmt"
	"math"
)

// Dim is how many numbers Encode writes.
const Dim = 8

const (
	history = 4000  // years, on both sides of the era, that number 1 covers
	present = 2000  // the year from which age is counted
	recent  = 50    // years: ages well below it are told apart evenly, above it by ratio
	oldest  = 1e5   // years of age, the whole of number 3
	longest = 10000 // years, the whole of number 2
)

// Encode writes the numbers of a date and a place to out, of length Dim (another
// length is a programming error and panics). A nil bound is not known; with one
// bound only, the date is that year. Bounds that are the wrong way round are
// turned. A value that is not finite, and a latitude beyond ±90, count as not
// known; a longitude goes round. Values beyond a number's range give its end.
func Encode(begin, end, lat, lon *float64, out []float32) {
	if len(out) != Dim {
		panic(fmt.Sprintf("facts: encode to %d numbers, there are %d", len(out), Dim))
	}
	clear(out)
	date(known(begin), known(end), out[:4])
	place(known(lat), known(lon), out[4:])
}

// known is the value of p, or NaN.
func known(p *float64) float64 {
	if p == nil || math.IsInf(*p, 0) {
		return math.NaN()
	}
	return *p
}

func date(begin, end float64, out []float32) {
	if math.IsNaN(begin) {
		begin = end
	}
	if math.IsNaN(end) {
		end = begin
	}
	if math.IsNaN(begin) {
		return
	}
	middle := begin/2 + end/2 // the sum might overflow
	out[0] = 1
	out[1] = bounded(middle / history)
	out[2] = bounded(math.Log1p(math.Abs(end-begin)) / math.Log1p(longest))
	age := present - middle
	out[3] = bounded(math.Copysign(math.Log1p(math.Abs(age)/recent)/math.Log1p(oldest/recent), age))
}

func place(lat, lon float64, out []float32) {
	if !(math.Abs(lat) <= 90) || math.IsNaN(lon) {
		return
	}
	sinLat, cosLat := math.Sincos(lat * math.Pi / 180)
	sinLon, cosLon := math.Sincos(math.Mod(lon, 360) * math.Pi / 180)
	out[0] = 1
	out[1] = float32(cosLat * cosLon)
	out[2] = float32(cosLat * sinLon)
	out[3] = float32(sinLat)
}

func bounded(x float64) float32 { return float32(max(-1, min(1, x))) }
