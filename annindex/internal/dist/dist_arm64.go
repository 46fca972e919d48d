//go:build !purego

package dist

import "unsafe"

// instructionSet stands for NEON, which each arm64 processor has.
type instructionSet struct{}

func instructionSets() []instructionSet { return []instructionSet{{}} }

//go:noescape
func dotNEON(a, b *float32, n int) float32

//go:noescape
func dotRowsNEON(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32)

//go:noescape
func scoresNEON(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32)

//go:noescape
func unvisitedNEON(list *uint32, n int, visited *uint16, stamp uint16, codes *byte, stride int, out, next *uint32) int

//go:noescape
func widenNEON(row *byte, n int, dst *int16)

//go:noescape
func maxAbsNEON(vec *float32, n int) float32

//go:noescape
func roundNEON(vec *float32, n int, factor float32, dst *int16)

//go:noescape
func copyNEON(dst, src *float32, n int)

func (instructionSet) dot(a, b *float32, n int) float32 { return dotNEON(a, b, n) }

func (instructionSet) dotRows(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32) {
	dotRowsNEON(query, n, rows, stride, slots, count, out)
}

func (instructionSet) scores(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32) {
	scoresNEON(query, codes, stride, scales, slots, n, out)
}

func (i instructionSet) coarse(q *Coarse, r Rows, order *uint32, n int, out *float32) {
	i.scores(unsafe.SliceData(q.codes), r.codes, r.stride, r.scales, order, n, out)
}

func (instructionSet) unvisited(list *uint32, n int, visited *uint16, stamp uint16, codes *byte, stride int, out, next *uint32) int {
	return unvisitedNEON(list, n, visited, stamp, codes, stride, out, next)
}

func (instructionSet) widen(row *byte, n int, dst *int16) { widenNEON(row, n, dst) }

func (instructionSet) maxAbs(vec *float32, n int) float32 { return maxAbsNEON(vec, n) }

func (instructionSet) round(vec *float32, n int, factor float32, dst *int16) {
	roundNEON(vec, n, factor, dst)
}

func (instructionSet) copyFloats(dst, src *float32, n int) { copyNEON(dst, src, n) }
