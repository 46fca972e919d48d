//go:build !purego

package dist

// form is the form in NEON, which each arm64 processor has: nothing is to be chosen.
type form struct{}

func (form) String() string { return "NEON" }

func forms() []form { return []form{{}} }

//go:noescape
func dotNEON(a, b *float32, n int) float32

//go:noescape
func dotRowsNEON(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32)

//go:noescape
func scoresNEON(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32)

//go:noescape
func unvisitedNEON(list *uint32, n int, visited *uint16, epoch uint16, codes *byte, stride int, out, next *uint32) int

//go:noescape
func widenNEON(row *byte, n int, dst *int16)

//go:noescape
func maxAbsNEON(vec *float32, n int) float32

//go:noescape
func roundNEON(vec *float32, n int, factor float32, dst *int16)

//go:noescape
func copyNEON(dst, src *float32, n int)

func (form) dot(a, b *float32, n int) float32 { return dotNEON(a, b, n) }

func (form) dotRows(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32) {
	dotRowsNEON(query, n, rows, stride, slots, count, out)
}

func (form) scores(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32) {
	scoresNEON(query, codes, stride, scales, slots, n, out)
}

func (form) unvisited(list *uint32, n int, visited *uint16, epoch uint16, codes *byte, stride int, out, next *uint32) int {
	return unvisitedNEON(list, n, visited, epoch, codes, stride, out, next)
}

func (form) widen(row *byte, n int, dst *int16) { widenNEON(row, n, dst) }

func (form) maxAbs(vec *float32, n int) float32 { return maxAbsNEON(vec, n) }

func (form) round(vec *float32, n int, factor float32, dst *int16) { roundNEON(vec, n, factor, dst) }

func (form) copyFloats(dst, src *float32, n int) { copyNEON(dst, src, n) }
