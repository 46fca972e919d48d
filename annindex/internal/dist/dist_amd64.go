//go:build !purego

package dist

import (
	"slices"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// instructionSet says in which instructions the functions run. Each set contains those before it: where it has no
// version of a function, it runs theirs.
type instructionSet uint8

const (
	plain  instructionSet = iota // Go
	avx2                         // AVX2 and FMA
	avx512                       // AVX-512 F, BW, DQ and VL
	vnni                         // AVX-512 VNNI
)

// instructionSets returns those that this processor can run, the best first.
func instructionSets() []instructionSet {
	all := []instructionSet{plain}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		all = append(all, avx2)
		// These flags are false, too, where the operating system does not save the registers of AVX-512.
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
func coarseAVX2(query *int8, offset int32, codes *byte, stride int, scales *float32, n int, out *float32)

//go:noescape
func unvisitedAVX2(list *uint32, n int, visited *uint16, stamp uint16, codes *byte, stride int, out, next *uint32) int

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

func (i instructionSet) dot(a, b *float32, n int) float32 {
	switch {
	case i >= avx512:
		return dotAVX512(a, b, n)
	case i == avx2:
		return dotAVX2(a, b, n)
	}
	return dotGo(a, b, n)
}

func (i instructionSet) dotRows(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32) {
	switch {
	case i >= avx512:
		dotRowsAVX512(query, n, rows, stride, slots, count, out)
	case i == avx2:
		dotRowsAVX2(query, n, rows, stride, slots, count, out)
	default:
		dotRowsGo(query, n, rows, stride, slots, count, out)
	}
}

func (i instructionSet) scores(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32) {
	switch i {
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

func (i instructionSet) coarse(q *Coarse, r Rows, order *uint32, n int, out *float32) {
	if i >= avx2 {
		coarseAVX2(unsafe.SliceData(q.narrow), q.offset, r.codes, r.stride, r.scales, n, out)
		return
	}
	i.scores(unsafe.SliceData(q.codes), r.codes, r.stride, r.scales, order, n, out)
}

func (i instructionSet) unvisited(list *uint32, n int, visited *uint16, stamp uint16, codes *byte, stride int, out, next *uint32) int {
	if i >= avx2 {
		return unvisitedAVX2(list, n, visited, stamp, codes, stride, out, next)
	}
	return unvisitedGo(list, n, visited, stamp, out)
}

func (i instructionSet) widen(row *byte, n int, dst *int16) {
	if i >= avx2 {
		widenAVX2(row, n, dst)
		return
	}
	widenGo(row, n, dst)
}

func (i instructionSet) maxAbs(vec *float32, n int) float32 {
	if i >= avx2 {
		return maxAbsAVX2(vec, n)
	}
	return maxAbsGo(vec, n)
}

func (i instructionSet) round(vec *float32, n int, factor float32, dst *int16) {
	if i >= avx2 {
		roundAVX2(vec, n, factor, dst)
		return
	}
	roundGo(vec, n, factor, dst)
}

func (i instructionSet) copyFloats(dst, src *float32, n int) {
	if i >= avx2 {
		copyAVX2(dst, src, n)
		return
	}
	copyGo(dst, src, n)
}
