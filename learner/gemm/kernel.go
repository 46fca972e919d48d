package gemm

// The micro-kernel's tile of C.
const (
	mr = 6
	nr = 16
)

// kernel is what is written once for each instruction set.
type kernel interface {
	name() string
	// tile computes a tile of C: C = A*B, or C += A*B when add is set. Element
	// (i,p) of A, mr x k, is a[i*rowStride+p*colStride]; B is k x nr, dense; rows
	// of C are ldc apart. k is at least 1.
	tile(k int, a []float32, rowStride, colStride int, b, c []float32, ldc int, add bool)
	// copyA and copyB write k rows of mr and of nr, ld apart, to dst without gaps. k is at least 1.
	copyA(k int, src []float32, ld int, dst []float32)
	copyB(k int, src []float32, ld int, dst []float32)
	// transpose writes nr rows of src, ld apart, of k elements each, to dst as k
	// rows of nr.
	transpose(k int, src []float32, ld int, dst []float32)
}

// plain is the kernel in Go, for every processor.
type plain struct{}

func (plain) name() string { return "Go" }

func (plain) tile(k int, a []float32, rowStride, colStride int, b, c []float32, ldc int, add bool) {
	for i := range mr {
		var sum [nr]float32
		for p := range k {
			x := a[i*rowStride+p*colStride]
			row := (*[nr]float32)(b[p*nr:])
			for j, y := range row {
				// The conversion forbids a fused operation, so that all processors
				// without assembly give the same bits.
				sum[j] += float32(x * y)
			}
		}
		out := (*[nr]float32)(c[i*ldc:])
		if !add {
			*out = sum
			continue
		}
		for j, y := range sum {
			out[j] += y
		}
	}
}

func (plain) copyA(k int, src []float32, ld int, dst []float32) {
	for p := range k {
		*(*[mr]float32)(dst[p*mr:]) = *(*[mr]float32)(src[p*ld:])
	}
}

func (plain) copyB(k int, src []float32, ld int, dst []float32) {
	for p := range k {
		*(*[nr]float32)(dst[p*nr:]) = *(*[nr]float32)(src[p*ld:])
	}
}

func (plain) transpose(k int, src []float32, ld int, dst []float32) { transposeGo(0, k, src, ld, dst) }

// transposeGo is transpose of columns from .. k-1.
func transposeGo(from, k int, src []float32, ld int, dst []float32) {
	for j := range nr {
		for p := from; p < k; p++ {
			dst[p*nr+j] = src[j*ld+p]
		}
	}
}
