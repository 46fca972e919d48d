package hnsw

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size of a large page on the machines that matter here.
const hugePage = 2 << 20

// huge returns zeroed memory for n words, on large pages where there are any: a search
// jumps about in it, and each jump to another page of 4 KiB would cost
// a walk through the page tables. It is memory of the Go heap like any other.
func huge(n int) []uint64 {
	if 8*n < 2*hugePage {
		return make([]uint64, n)
	}
	memory := make([]uint64, n+hugePage/8)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(memory))) % hugePage / 8
	memory = memory[skip:][:n:n]
	// Advice: where it is not taken, all works as before.
	_ = unix.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(memory))), 8*n/hugePage*hugePage), unix.MADV_HUGEPAGE)
	return memory
}
