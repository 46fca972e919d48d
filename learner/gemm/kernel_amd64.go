package gemm

import "golang.org/x/sys/cpu"

// kernelAVX2 is a kernel in assembly; strides are in bytes here.
//
//go:noescape
func kernelAVX2(k int, a *float32, rowStride, colStride int, b, c *float32, ldc int, add bool)

// transpose16AVX2 writes eights*8 columns of 16 rows, ld bytes apart, to dst as
// rows of 16.
//
//go:noescape
func transpose16AVX2(eights int, src *float32, ld int, dst *float32)

// copy6AVX2 writes k rows of 6, ld bytes apart, to dst without gaps.
//
//go:noescape
func copy6AVX2(k int, src *float32, ld int, dst *float32)

// copy16AVX2 does so with rows of 16.
//
//go:noescape
func copy16AVX2(k int, src *float32, ld int, dst *float32)

// The tile of the kernel for AVX2.
const (
	avx2Rows = 6
	avx2Cols = 16
)

func avx2() kernel {
	return kernel{
		name: "AVX2", mr: avx2Rows, nr: avx2Cols,
		tile: tileAVX2, copyA: copyA2, copyB: copyB2, transpose: transposeAVX2,
	}
}

func tileAVX2(_, k int, a []float32, rowStride, colStride int, b, c []float32, ldc int, add bool) {
	// The farthest elements that the kernel touches; the compiler checks them.
	_ = a[(avx2Rows-1)*rowStride+(k-1)*colStride]
	_ = b[k*avx2Cols-1]
	_ = c[(avx2Rows-1)*ldc+avx2Cols-1]
	kernelAVX2(k, &a[0], rowStride*4, colStride*4, &b[0], &c[0], ldc*4, add)
}

func copyA2(k int, src []float32, ld int, dst []float32) {
	_ = src[(k-1)*ld+avx2Rows-1]
	_ = dst[k*avx2Rows-1]
	copy6AVX2(k, &src[0], ld*4, &dst[0])
}

func copyB2(k int, src []float32, ld int, dst []float32) {
	_ = src[(k-1)*ld+avx2Cols-1]
	_ = dst[k*avx2Cols-1]
	copy16AVX2(k, &src[0], ld*4, &dst[0])
}

func transposeAVX2(k int, src []float32, ld int, dst []float32) {
	eights := k / 8
	if eights > 0 {
		_ = src[(avx2Cols-1)*ld+eights*8-1]
		_ = dst[eights*8*avx2Cols-1]
		transpose16AVX2(eights, &src[0], ld*4, &dst[0])
	}
	transposeGo(eights*8, k, avx2Cols, src, ld, dst)
}

// kernels are those that this processor can run, the fastest first.
func kernels() []kernel {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		return []kernel{avx2(), plain()}
	}
	return []kernel{plain()}
}
