package gemm

import (
	"slices"

	"golang.org/x/sys/cpu"
)

// kernelAVX2 is kernel.tile in AVX2, of all 6 rows; rowStride, colStride and ldc are in bytes.
//
//go:noescape
func kernelAVX2(k int, a *float32, rowStride, colStride int, b, c *float32, ldc int, add bool)

// kernelAVX512 is kernel.tile in AVX-512, strides in bytes; with 4 rows or fewer it leaves out the lower half of the
// tile.
//
//go:noescape
func kernelAVX512(rows, k int, a *float32, rowStride, colStride int, b, c *float32, ldc int, add bool)

// transpose16AVX2 writes eights*8 columns, 8 or more, of 16 rows, ld bytes apart, to dst as rows of 16.
//
//go:noescape
func transpose16AVX2(eights int, src *float32, ld int, dst *float32)

// transpose32AVX2 is transpose16AVX2 for 32 rows.
//
//go:noescape
func transpose32AVX2(eights int, src *float32, ld int, dst *float32)

// copy6AVX2 writes k rows of 6, ld bytes apart, to dst without gaps.
//
//go:noescape
func copy6AVX2(k int, src *float32, ld int, dst *float32)

// copy16AVX2 is copy6AVX2 for rows of 16.
//
//go:noescape
func copy16AVX2(k int, src *float32, ld int, dst *float32)

// copy8AVX2 is copy6AVX2 for rows of 8.
//
//go:noescape
func copy8AVX2(k int, src *float32, ld int, dst *float32)

// copy32AVX512 is copy6AVX2 for rows of 32.
//
//go:noescape
func copy32AVX512(k int, src *float32, ld int, dst *float32)

// avx2Rows x avx2Cols is the tile of the kernel for AVX2.
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
	// These reads have the compiler check the farthest elements that kernelAVX2 touches.
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

// avx512Rows x avx512Cols is the tile of the kernel for AVX-512.
const (
	avx512Rows = 8
	avx512Cols = 32
)

func avx512() kernel {
	return kernel{
		name: "AVX-512", mr: avx512Rows, nr: avx512Cols,
		tile: tileAVX512, copyA: copyA512, copyB: copyB512, transpose: transpose512,
	}
}

func tileAVX512(rows, k int, a []float32, rowStride, colStride int, b, c []float32, ldc int, add bool) {
	_ = a[(avx512Rows-1)*rowStride+(k-1)*colStride]
	_ = b[k*avx512Cols-1]
	_ = c[(avx512Rows-1)*ldc+avx512Cols-1]
	kernelAVX512(rows, k, &a[0], rowStride*4, colStride*4, &b[0], &c[0], ldc*4, add)
}

func copyA512(k int, src []float32, ld int, dst []float32) {
	_ = src[(k-1)*ld+avx512Rows-1]
	_ = dst[k*avx512Rows-1]
	copy8AVX2(k, &src[0], ld*4, &dst[0])
}

func copyB512(k int, src []float32, ld int, dst []float32) {
	_ = src[(k-1)*ld+avx512Cols-1]
	_ = dst[k*avx512Cols-1]
	copy32AVX512(k, &src[0], ld*4, &dst[0])
}

func transpose512(k int, src []float32, ld int, dst []float32) {
	eights := k / 8
	if eights > 0 {
		_ = src[(avx512Cols-1)*ld+eights*8-1]
		_ = dst[eights*8*avx512Cols-1]
		transpose32AVX2(eights, &src[0], ld*4, &dst[0])
	}
	transposeGo(eights*8, k, avx512Cols, src, ld, dst)
}

// kernels returns those that this processor can run, the fastest first.
func kernels() []kernel {
	all := []kernel{portable()}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		all = append(all, avx2())
		// cpu.X86 has the flags of AVX-512 false also where the system does not keep its registers.
		if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
			all = append(all, avx512())
		}
	}
	slices.Reverse(all)
	return all
}
