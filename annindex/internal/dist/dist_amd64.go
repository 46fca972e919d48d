//go:build !purego

package dist

import (
	"slices"

	"golang.org/x/sys/cpu"
)

// form is a set of instructions that the functions are written in. Each has those before it, and what it has
// nothing better for is theirs.
type form uint8

const (
	plain  form = iota
	avx2        // and FMA
	avx512      // F, BW, DQ and VL
	vnni        // AVX-512's
)

func (f form) String() string { return [...]string{"Go", "AVX2", "AVX-512", "AVX-512 VNNI"}[f] }

// forms are those that this processor can run, the best first.
func forms() []form {
	all := []form{plain}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		all = append(all, avx2)
		// The flags of AVX-512 are false too where the system does not keep its registers.
		if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
			all = append(all, avx512)
			if cpu.X86.HasAVX512VNNI {
				all = append(all, vnni)
			}
		}
	}
	slices.Reverse(all)
	return all
}

//go:noescape
func dotAVX2(a, b *float32, n int) float32

//go:noescape
func dotRowsAVX2(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32)

//go:noescape
func scoresAVX2(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32)

//go:noescape
func unvisitedAVX2(list *uint32, n int, visited *uint16, epoch uint16, codes *byte, stride int, out, next *uint32) int

//go:noescape
func widenAVX2(row *byte, n int, dst *int16)

//go:noescape
func maxAbsAVX2(vec *float32, n int) float32

//go:noescape
func roundAVX2(vec *float32, n int, factor float32, dst *int16)

//go:noescape
func copyAVX2(dst, src *float32, n int)

//go:noescape
func dotAVX512(a, b *float32, n int) float32

//go:noescape
func dotRowsAVX512(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32)

//go:noescape
func scoresAVX512(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32)

//go:noescape
func scoresVNNI(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32)

func (f form) dot(a, b *float32, n int) float32 {
	switch {
	case f >= avx512:
		return dotAVX512(a, b, n)
	case f == avx2:
		return dotAVX2(a, b, n)
	}
	return dotGo(a, b, n)
}

func (f form) dotRows(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32) {
	switch {
	case f >= avx512:
		dotRowsAVX512(query, n, rows, stride, slots, count, out)
	case f == avx2:
		dotRowsAVX2(query, n, rows, stride, slots, count, out)
	default:
		dotRowsGo(query, n, rows, stride, slots, count, out)
	}
}

func (f form) scores(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32) {
	switch f {
	case vnni:
		scoresVNNI(query, codes, stride, scales, slots, n, out)
	case avx512:
		scoresAVX512(query, codes, stride, scales, slots, n, out)
	case avx2:
		scoresAVX2(query, codes, stride, scales, slots, n, out)
	default:
		scoresGo(query, codes, stride, scales, slots, n, out)
	}
}

func (f form) unvisited(list *uint32, n int, visited *uint16, epoch uint16, codes *byte, stride int, out, next *uint32) int {
	if f >= avx2 {
		return unvisitedAVX2(list, n, visited, epoch, codes, stride, out, next)
	}
	return unvisitedGo(list, n, visited, epoch, out)
}

func (f form) widen(row *byte, n int, dst *int16) {
	if f >= avx2 {
		widenAVX2(row, n, dst)
		return
	}
	widenGo(row, n, dst)
}

func (f form) maxAbs(vec *float32, n int) float32 {
	if f >= avx2 {
		return maxAbsAVX2(vec, n)
	}
	return maxAbsGo(vec, n)
}

func (f form) round(vec *float32, n int, factor float32, dst *int16) {
	if f >= avx2 {
		roundAVX2(vec, n, factor, dst)
		return
	}
	roundGo(vec, n, factor, dst)
}

func (f form) copyFloats(dst, src *float32, n int) {
	if f >= avx2 {
		copyAVX2(dst, src, n)
		return
	}
	copyGo(dst, src, n)
}
