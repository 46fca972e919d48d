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

type avx2 struct{}

func (avx2) name() string { return "AVX2" }

func (avx2) tile(k int, a []float32, rowStride, colStride int, b, c []float32, ldc int, add bool) {
	// The farthest elements that the kernel touches; the compiler checks them.
	_ = a[(mr-1)*rowStride+(k-1)*colStride]
	_ = b[k*nr-1]
	_ = c[(mr-1)*ldc+nr-1]
	kernelAVX2(k, &a[0], rowStride*4, colStride*4, &b[0], &c[0], ldc*4, add)
}

func (avx2) copyA(k int, src []float32, ld int, dst []float32) {
	_ = src[(k-1)*ld+mr-1]
	_ = dst[k*mr-1]
	copy6AVX2(k, &src[0], ld*4, &dst[0])
}

func (avx2) copyB(k int, src []float32, ld int, dst []float32) {
	_ = src[(k-1)*ld+nr-1]
	_ = dst[k*nr-1]
	copy16AVX2(k, &src[0], ld*4, &dst[0])
}

func (avx2) transpose(k int, src []float32, ld int, dst []float32) {
	eights := k / 8
	if eights > 0 {
		_ = src[(nr-1)*ld+eights*8-1]
		_ = dst[eights*8*nr-1]
		transpose16AVX2(eights, &src[0], ld*4, &dst[0])
	}
	transposeGo(eights*8, k, src, ld, dst)
}

// fastest is the best kernel that this processor can run.
func fastest() kernel {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		return avx2{}
	}
	return plain{}
}
