//go:build !linux

package hnsw

// huge returns zeroed memory for n words.
func huge(n int) []uint64 { return make([]uint64, n) }
