package gemm

// packB copies rows p0 .. p0+kc-1 and the nr columns from j of op(B) to a panel,
// kc rows of nr; what lies beyond column n becomes 0.
func (g *job) packB(panel []float32, p0, kc, j int) {
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

// packA copies rows from .. to-1 and columns p0 .. p0+kc-1 of alpha*op(A) to
// tiles of kc columns of mr; rows beyond become 0.
func (g *job) packA(dst []float32, p0, kc, from, to int) {
	for i := from; i < to; i += mr {
		tile := dst[(i-from)*kc : (i-from+mr)*kc]
		height := min(mr, to-i)
		switch {
		case g.tA && height == mr && g.alpha == 1:
			g.kern.copyA(kc, g.a[p0*g.lda+i:], g.lda, tile)
		default:
			clear(tile)
			for r := range height {
				at, step := (i+r)*g.lda+p0, 1
				if g.tA {
					at, step = p0*g.lda+i+r, g.lda
				}
				for p := range kc {
					tile[p*mr+r] = g.alpha * g.a[at+p*step]
				}
			}
		}
	}
}
