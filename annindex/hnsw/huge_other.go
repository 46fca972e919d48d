//go:build !linux

package hnsw

// allocHuge returns zeroed memory for n words.
func allocHuge(n int) []uint64 { return make([]uint64, n) }
