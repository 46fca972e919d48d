//go:build purego || !(amd64 || arm64)

package dist

// form is the form in Go.
type form struct{}

func (form) String() string { return "Go" }

func forms() []form { return []form{{}} }

func (form) dot(a, b *float32, n int) float32 { return dotGo(a, b, n) }

func (form) dotRows(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32) {
	dotRowsGo(query, n, rows, stride, slots, count, out)
}

func (form) scores(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32) {
	scoresGo(query, codes, stride, scales, slots, n, out)
}

func (form) unvisited(list *uint32, n int, visited *uint16, epoch uint16, _ *byte, _ int, out, _ *uint32) int {
	return unvisitedGo(list, n, visited, epoch, out)
}

func (form) widen(row *byte, n int, dst *int16) { widenGo(row, n, dst) }

func (form) maxAbs(vec *float32, n int) float32 { return maxAbsGo(vec, n) }

func (form) round(vec *float32, n int, factor float32, dst *int16) { roundGo(vec, n, factor, dst) }

func (form) copyFloats(dst, src *float32, n int) { copyGo(dst, src, n) }
