package main

import (
	"math"

	dto "github.com/prometheus/client_model/go"
)

// quantile is the upper bound of the bucket of a native histogram in which the q-th of all values is; those around zero count as 0.
func quantile(h *dto.Histogram, q float64) float64 {
	want := q * float64(h.GetSampleCount())
	seen := float64(h.GetZeroCount())
	if seen >= want {
		return 0
	}
	base := math.Exp2(math.Exp2(-float64(h.GetSchema())))
	bucket, count, deltas := 0, 0.0, h.GetPositiveDelta()
	for _, span := range h.GetPositiveSpan() {
		bucket += int(span.GetOffset())
		for range span.GetLength() {
			count += float64(deltas[0])
			deltas = deltas[1:]
			if seen += count; seen >= want {
				return math.Pow(base, float64(bucket))
			}
			bucket++
		}
	}
	return math.Inf(1)
}
