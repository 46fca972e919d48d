package gemm

// packB copies rows p0 .. p0+kc-1 and the nr columns from j of op(B) to a panel, kc rows of nr; elements beyond column
// n become 0.
func (g *job) packB(panel []float32, p0, kc, j int) {
	nr := g.kern.nr
	width := min(nr, g.n-j)
	switch {
	case g.tB && width == nr:
		g.kern.transpose(kc, g.b[j*g.ldb+p0:], g.ldb, panel)
	case width == nr:
		g.kern.copyB(kc, g.b[p0*g.ldb+j:], g.ldb, panel)
	default:
		clear(panel[:kc*nr])
		for p := range kc {
			for c := range width {
				at := (p0+p)*g.ldb + j + c
				if g.tB {
					at = (j+c)*g.ldb + p0 + p
				}
				panel[p*nr+c] = g.b[at]
			}
		}
	}
}

// packA copies rows from .. to-1 and columns p0 .. p0+kc-1 of alpha*op(A) to tiles of mr rows of kc; rows beyond to-1
// become 0. Tiles of a transposed A are column-major.
func (g *job) packA(dst []float32, p0, kc, from, to int) {
	mr := g.kern.mr
	for i := from; i < to; i += mr {
		tile := dst[(i-from)*kc : (i-from+mr)*kc]
		height := min(mr, to-i)
		if height < mr {
			clear(tile)
		}
		switch {
		case g.tA && height == mr && g.alpha == 1:
			g.kern.copyA(kc, g.a[p0*g.lda+i:], g.lda, tile)
		case g.tA:
			for p := range kc {
				scale(tile[p*mr:][:height], g.alpha, g.a[(p0+p)*g.lda+i:])
			}
		default:
			for r := range height {
				scale(tile[r*kc:][:kc], g.alpha, g.a[(i+r)*g.lda+p0:])
			}
		}
	}
}

// scale sets dst to alpha times the first len(dst) numbers of src.
func scale(dst []float32, alpha float32, src []float32) {
	src = src[:len(dst)]
	if alpha == 1 {
		copy(dst, src)
		return
	}
	for i, x := range src {
		dst[i] = alpha * x
	}
}
