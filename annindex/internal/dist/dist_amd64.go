//go:build !purego

package dist

import "golang.org/x/sys/cpu"

// hasAVX2 says whether the vector forms can run; set once, before any call.
var hasAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// Name is the form in use: "avx2" or "go".
func Name() string {
	if hasAVX2 {
		return "avx2"
	}
	return "go"
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

func dot(a, b *float32, n int) float32 {
	if hasAVX2 {
		return dotAVX2(a, b, n)
	}
	return dotGo(a, b, n)
}

func dotRows(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32) {
	if hasAVX2 {
		dotRowsAVX2(query, n, rows, stride, slots, count, out)
		return
	}
	dotRowsGo(query, n, rows, stride, slots, count, out)
}

func scores(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32) {
	if hasAVX2 {
		scoresAVX2(query, codes, stride, scales, slots, n, out)
		return
	}
	scoresGo(query, codes, stride, scales, slots, n, out)
}

func unvisited(list *uint32, n int, visited *uint16, epoch uint16, codes *byte, stride int, out, next *uint32) int {
	if hasAVX2 {
		return unvisitedAVX2(list, n, visited, epoch, codes, stride, out, next)
	}
	return unvisitedGo(list, n, visited, epoch, out)
}

func widen(row *byte, n int, dst *int16) {
	if hasAVX2 {
		widenAVX2(row, n, dst)
		return
	}
	widenGo(row, n, dst)
}

func maxAbs(vec *float32, n int) float32 {
	if hasAVX2 {
		return maxAbsAVX2(vec, n)
	}
	return maxAbsGo(vec, n)
}

func round(vec *float32, n int, factor float32, dst *int16) {
	if hasAVX2 {
		roundAVX2(vec, n, factor, dst)
		return
	}
	roundGo(vec, n, factor, dst)
}

func copyFloats(dst, src *float32, n int) {
	if hasAVX2 {
		copyAVX2(dst, src, n)
		return
	}
	copyGo(dst, src, n)
}
