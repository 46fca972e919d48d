// Package gemm multiplies float32 matrices.
//
// Engine is a gonum blas.Float32 whose Sgemm runs on the workers of a par.Pool; its other methods are gonum's own.
// Packed is a matrix B that many others are multiplied by, as by the weights of a model that serves: its panels are
// made once. MultiplySparse multiplies a row of few numbers. Matrices come in and go out as slices with a distance between rows; the package does not know what they
// mean.
//
// The scheme is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (ACM TOMS 34(3),
// 2008, section 4), as BLIS divides it (Van Zee and van de Geijn, ACM TOMS 41(3), 2015, section 2). B is copied into
// panels of few columns that stay in the first cache, or with AVX-512 in the first and the second. A is taken in blocks
// that stay in the second. A micro-kernel holds a tile of C in registers while it walks along k: 6x16 in AVX2 and in
// Go, 8x32 in AVX-512; the lines of 8 rows fit together into a cache of 8 ways, also when a power of two lies between
// them. A is copied only where that pays: where A is transposed, where alpha is not 1, and at the lower edge. Elsewhere
// the kernel reads A's rows in place, since the matrices of the model are narrow and a copy would be used few times.
//
// Guarantee: an element of C has the same bits whatever other rows and columns stand in the matrices, whatever the
// number of threads and the addresses. It is the sum over ascending k of blocks of at most 320, each block accumulated
// alone. The kernels in AVX2 and AVX-512 add each product before it is rounded and so have the same bits; the one in
// Go, for machines without AVX2 and FMA, rounds products and differs in the last bits.
//
// The kernel is chosen at start by what the processor and its system have: AVX-512 (F, BW, DQ and VL), AVX2 with FMA,
// or Go. The tests go through all that the processor has; make test-avx512 runs them on an emulated one.
package gemm
