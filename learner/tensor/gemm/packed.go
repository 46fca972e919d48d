package gemm

import "fmt"

// Packed is a matrix B by which many others are multiplied: its panels are made once. It is immutable and safe for
// concurrent use; Multiply runs in the goroutine that calls it.
type Packed struct {
	kern  kernel
	k, n  int
	depth int // of a block of k
	// panels are those of the first block of k, in the order of columns, then those of the next block.
	panels []float32
}

// Pack copies B, k x n, dense, into panels. Wrong sizes panic.
func Pack(k, n int, b []float32) *Packed { return pack(k, n, b, fastest()) }

func pack(k, n int, b []float32, kern kernel) *Packed {
	if k < 1 || n < 1 || len(b) != k*n {
		panic(fmt.Sprintf("gemm: pack %d numbers as %d x %d", len(b), k, n))
	}
	p := &Packed{kern: kern, k: k, n: n, depth: evenSize(k, maxK, 1)}
	p.panels = make([]float32, (n+kern.nr-1)/kern.nr*kern.nr*k)
	g := &job{Engine: &Engine{kern: kern}, n: n, b: b, ldb: n}
	p.eachPanel(func(p0, kc, j int, panel []float32) { g.packB(panel, p0, kc, j) })
	return p
}

// eachPanel calls fn with the panels, of kc rows from p0 and of nr columns from j.
func (p *Packed) eachPanel(fn func(p0, kc, j int, panel []float32)) {
	nr, at := p.kern.nr, 0
	for p0 := 0; p0 < p.k; p0 += p.depth {
		kc := min(p.depth, p.k-p0)
		for j := 0; j < p.n; j += nr {
			fn(p0, kc, j, p.panels[at:at+kc*nr])
			at += kc * nr
		}
	}
}

// Multiply is C = A*B with A m x k and C m x n, dense. Elements of C have the same bits as Sgemm's. Wrong sizes panic.
func (p *Packed) Multiply(m int, a, c []float32) {
	if m < 0 || len(a) != m*p.k || len(c) < m*p.n {
		panic(fmt.Sprintf("gemm: multiply %d numbers, %d rows, by %d x %d to %d numbers", len(a), m, p.k, p.n, len(c)))
	}
	mr, nr := p.kern.mr, p.kern.nr
	wholeRows := m / mr * mr
	edge := make([]float32, mr*nr)
	var tail []float32 // the rows after the last whole tile, a block of k
	if m-wholeRows > 1 {
		tail = make([]float32, mr*p.depth)
	}
	p.eachPanel(func(p0, kc, j int, panel []float32) {
		for i := 0; i < wholeRows; i += mr {
			if j+nr <= p.n {
				p.kern.tile(mr, kc, a[i*p.k+p0:], p.k, 1, panel, c[i*p.n+j:], p.n, p0 > 0)
				continue
			}
			p.kern.tile(mr, kc, a[i*p.k+p0:], p.k, 1, panel, edge, nr, false)
			p.put(edge, c, i, mr, p0, j)
		}
		switch m - wholeRows {
		case 0:
			return
		case 1: // row stride 0: the tile reads its one row mr times instead of having it copied
			p.kern.tile(1, kc, a[wholeRows*p.k+p0:], 0, 1, panel, edge, nr, false)
		default:
			if j == 0 {
				for r := range m - wholeRows {
					copy(tail[r*kc:(r+1)*kc], a[(wholeRows+r)*p.k+p0:])
				}
			}
			p.kern.tile(m-wholeRows, kc, tail, kc, 1, panel, edge, nr, false)
		}
		p.put(edge, c, wholeRows, m-wholeRows, p0, j)
	})
}

// put writes the rows of a tile that lie within C, and adds them after the first block of k.
func (p *Packed) put(tile, c []float32, i, height, p0, j int) {
	nr := p.kern.nr
	width := min(nr, p.n-j)
	for r := range height {
		out := c[(i+r)*p.n+j:][:width]
		if p0 == 0 {
			copy(out, tile[r*nr:])
			continue
		}
		for k := range out {
			out[k] += tile[r*nr+k]
		}
	}
}
