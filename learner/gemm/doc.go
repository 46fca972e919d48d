// Package gemm multiplies float32 matrices.
//
// The scheme is that of Goto and van de Geijn, "Anatomy of High-Performance
// Matrix Multiplication" (ACM TOMS 34(3), 2008), as BLIS divides it (Van Zee and
// van de Geijn, ACM TOMS 41(3), 2015): B is copied into panels of few columns (16 with AVX2)
// which stay in the first cache, A is taken in blocks which stay in the second,
// and a micro-kernel holds a tile of C (6x16) in registers while it walks along
// k. A is copied only where that pays: when it is transposed, when alpha is not 1
// and at the lower edge; otherwise the kernel reads A's rows where they lie,
// since the matrices of the model are narrow and a copy would be used few times.
//
// Engine is a gonum blas.Float32; what is not Sgemm is gonum's own. Packed keeps B's panels for who multiplies by
// the same B again and again: a model that serves.
//
// Guarantee: an element of C has the same bits whatever other rows and columns
// stand in the matrices, whatever the number of threads and the addresses: it
// is the sum over ascending k of blocks of at most 320, each block accumulated
// alone. Machines with and without AVX2 and FMA differ in the last bits.
//
// There is an AVX2 kernel and one in Go. An AVX-512 kernel is left out: there
// was no processor with AVX-512 to run its tests on.
package gemm
