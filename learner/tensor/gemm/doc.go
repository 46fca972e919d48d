// Package gemm multiplies float32 matrices.
//
// The scheme is that of Goto and van de Geijn, "Anatomy of High-Performance
// Matrix Multiplication" (ACM TOMS 34(3), 2008), as BLIS divides it (Van Zee and
// van de Geijn, ACM TOMS 41(3), 2015): B is copied into panels of few columns
// which stay in the first cache, or with AVX-512 in the first and the second, A is taken in
// blocks which stay in the second, and a micro-kernel holds a tile of C in registers while it
// walks along k: 6x16 in AVX2 and in Go, 8x32 in AVX-512. A is copied only where that pays: when it
// is transposed, when alpha is not 1 and at the lower edge; otherwise the kernel reads A's rows where
// they lie, since the matrices of the model are narrow and a copy would be used few times. Eight rows
// are few enough that their lines fit together into a cache of 8 ways, also when a power of two lies between them.
//
// Engine is a gonum blas.Float32; what is not Sgemm is gonum's own. Packed keeps B's panels for who multiplies by
// the same B again and again: a model that serves.
//
// Guarantee: an element of C has the same bits whatever other rows and columns
// stand in the matrices, whatever the number of threads and the addresses: it
// is the sum over ascending k of blocks of at most 320, each block accumulated
// alone. The kernels in AVX2 and AVX-512 add each product before it is rounded
// and so have the same bits; the one in Go, for machines without AVX2 and FMA, rounds
// products and differs in the last bits.
//
// The kernel is chosen at start by what the processor and its system have: AVX-512 (F, BW, DQ
// and VL), AVX2 with FMA, or Go. The tests go through all that the processor has; make
// test-avx512 runs them on an emulated one.
package gemm
