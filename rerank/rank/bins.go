package rank

import "slices"

// binned are samples with each value replaced by the number of its bin, in columns.
type binned struct {
	bins [][]uint8
	// bounds[f][b] is between the values of bin b and those of bin b+1, and so one less than there are bins.
	bounds [][]float32
}

// bin cuts each feature at its quantiles into at most so many bins, of which a byte tells. Equal values are in one bin, and a feature of
// no more values than bins has a bin for each: then a histogram loses nothing against the exact values.
func bin(columns [][]float32, most int) *binned {
	b := &binned{bins: make([][]uint8, len(columns)), bounds: make([][]float32, len(columns))}
	for f, column := range columns {
		b.bounds[f] = boundsOf(column, most)
		b.bins[f] = make([]uint8, len(column))
		for i, v := range column {
			at, _ := slices.BinarySearch(b.bounds[f], v)
			b.bins[f][i] = uint8(at)
		}
	}
	return b
}

func boundsOf(column []float32, most int) (bounds []float32) {
	sorted := slices.Sorted(slices.Values(column))
	values, upTo := distinct(sorted)
	if len(values) <= most {
		for i := 1; i < len(values); i++ {
			bounds = append(bounds, between(values[i-1], values[i]))
		}
		return bounds
	}
	// A bin is closed when it and those before have their share of the values.
	for i := 0; i+1 < len(values); i++ {
		if share := len(sorted) * (len(bounds) + 1) / most; upTo[i] >= share && len(bounds) < most-1 {
			bounds = append(bounds, between(values[i], values[i+1]))
		}
	}
	return bounds
}

// distinct are the different ones of sorted values, with the number of values up to each.
func distinct(sorted []float32) (values []float32, upTo []int) {
	for i, v := range sorted {
		if i == 0 || v != sorted[i-1] {
			values, upTo = append(values, v), append(upTo, i)
		}
		upTo[len(upTo)-1] = i + 1
	}
	return values, upTo
}

// between is a number of at least low and below high.
func between(low, high float32) float32 {
	if mid := low/2 + high/2; low <= mid && mid < high {
		return mid
	}
	return low
}
