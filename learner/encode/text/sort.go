package text

import "slices"

const (
	radixBits = 9 // of a digit: two passes for 2^18 buckets
	radixMask = 1<<radixBits - 1
	// smallSort is the length up to which comparisons are faster than the
	// histograms.
	smallSort = 160
)

// radixSort sorts keys below 2^width, from the least significant digit on. The
// result is keys or spare, which must be as long and is clobbered.
func radixSort(keys, spare []uint32, width int) []uint32 {
	if len(keys) <= smallSort {
		slices.Sort(keys)
		return keys
	}
	from, to := keys, spare[:len(keys)]
	for shift := 0; shift < width; shift += radixBits {
		var next [radixMask + 1]uint32
		for _, k := range from {
			next[k>>(shift&31)&radixMask]++
		}
		at := uint32(0)
		for i, n := range next {
			next[i] = at
			at += n
		}
		for _, k := range from {
			i := k >> (shift & 31) & radixMask
			at := next[i]
			next[i] = at + 1
			to[at] = k
		}
		from, to = to, from
	}
	return from
}
