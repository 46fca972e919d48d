//go:build purego || !(amd64 || arm64)

package dist

import "unsafe"

// instructionSet stands for the Go versions of the functions.
type instructionSet struct{}

func instructionSets() []instructionSet { return []instructionSet{{}} }

func (instructionSet) dot(a, b *float32, n int) float32 { return dotGo(a, b, n) }

func (instructionSet) dotRows(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32) {
	dotRowsGo(query, n, rows, stride, slots, count, out)
}

func (instructionSet) scores(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32) {
	scoresGo(query, codes, stride, scales, slots, n, out)
}

func (i instructionSet) coarse(q *Coarse, r Rows, order *uint32, n int, out *float32) {
	i.scores(unsafe.SliceData(q.codes), r.codes, r.stride, r.scales, order, n, out)
}

func (instructionSet) unvisited(list *uint32, n int, visited *uint16, stamp uint16, _ *byte, _ int, out, _ *uint32) int {
	return unvisitedGo(list, n, visited, stamp, out)
}

func (instructionSet) widen(row *byte, n int, dst *int16) { widenGo(row, n, dst) }

func (instructionSet) maxAbs(vec *float32, n int) float32 { return maxAbsGo(vec, n) }

func (instructionSet) round(vec *float32, n int, factor float32, dst *int16) {
	roundGo(vec, n, factor, dst)
}

func (instructionSet) copyFloats(dst, src *float32, n int) { copyGo(dst, src, n) }
