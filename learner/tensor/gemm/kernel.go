package gemm

// kernel has the loops that are written once for each instruction set.
type kernel struct {
	name string
	// mr x nr is the tile of C; a panel of B has nr columns, a tile of A mr rows.
	mr, nr int
	// tile computes the first rows of a tile of C: C = A*B, or C += A*B when add is set. Element (i,p) of A, mr x k, is
	// a[i*rowStride+p*colStride]; B is k x nr, dense; rows of C are ldc apart. rows is in 1..mr, k at least 1. A and C
	// have all mr rows; what tile writes to those of C after the first rows is undefined.
	tile func(rows, k int, a []float32, rowStride, colStride int, b, c []float32, ldc int, add bool)
	// copyA and copyB write k rows of mr and of nr, ld apart, to dst without gaps. k is at least 1.
	copyA, copyB func(k int, src []float32, ld int, dst []float32)
	// transpose writes nr rows of src, ld apart, of k elements each, to dst as k rows of nr.
	transpose func(k int, src []float32, ld int, dst []float32)
}

// fastest is the best kernel that this processor can run.
func fastest() kernel { return kernels()[0] }

// goRows x goCols is the tile of the kernel in Go.
const (
	goRows = 6
	goCols = 16
)

// portable is the kernel in Go, for every processor.
func portable() kernel {
	return kernel{name: "Go", mr: goRows, nr: goCols, tile: tileGo, copyA: copyGoA, copyB: copyGoB, transpose: transposeGoB}
}

func tileGo(rows, k int, a []float32, rowStride, colStride int, b, c []float32, ldc int, add bool) {
	for i := range rows {
		var sum [goCols]float32
		for p := range k {
			x := a[i*rowStride+p*colStride]
			row := (*[goCols]float32)(b[p*goCols:])
			for j, y := range row {
				// The conversion forbids a fused operation, so that all processors without assembly give the same bits.
				sum[j] += float32(x * y)
			}
		}
		out := (*[goCols]float32)(c[i*ldc:])
		if !add {
			*out = sum
			continue
		}
		for j, y := range sum {
			out[j] += y
		}
	}
}

func copyGoA(k int, src []float32, ld int, dst []float32) {
	for p := range k {
		*(*[goRows]float32)(dst[p*goRows:]) = *(*[goRows]float32)(src[p*ld:])
	}
}

func copyGoB(k int, src []float32, ld int, dst []float32) {
	for p := range k {
		*(*[goCols]float32)(dst[p*goCols:]) = *(*[goCols]float32)(src[p*ld:])
	}
}

func transposeGoB(k int, src []float32, ld int, dst []float32) {
	transposeGo(0, k, goCols, src, ld, dst)
}

// transposeGo is transpose of columns from .. k-1, with panels of nr columns.
func transposeGo(from, k, nr int, src []float32, ld int, dst []float32) {
	for j := range nr {
		for p := from; p < k; p++ {
			dst[p*nr+j] = src[j*ld+p]
		}
	}
}
