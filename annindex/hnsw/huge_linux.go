package hnsw

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size of a large page on amd64 and, with pages of 4 KiB, on arm64.
const hugePage = 2 << 20

// allocHuge returns zeroed memory for n words, on large pages where the system has any: a search
// jumps about in an arena, and each jump to another page of 4 KiB would cost
// a walk through the page tables. The memory is of the Go heap, which frees it as any other.
func allocHuge(n int) []uint64 {
	if 8*n < 2*hugePage {
		return make([]uint64, n)
	}
	memory := make([]uint64, n+hugePage/8)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(memory))) % hugePage / 8
	memory = memory[skip:][:n:n]
	// Madvise only advises: where the system refuses, the memory is as good, only slower.
	_ = unix.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(memory))), 8*n/hugePage*hugePage), unix.MADV_HUGEPAGE)
	return memory
}
