// Package simd puts AVX2 kernels behind gonum's BLAS interface.
//
// Kernels is a gonum blas.Float32: what it does not speed up is gonum's own.
// It is passed to those who compute (serve.New), not registered for the
// whole process: blas32.Use would change the bits of every other user of
// gonum.
//
// The guarantee that the embeddings rest on: a row of the product of Sgemm
// without transposition has the same bits whatever other rows stand in the
// matrix, wherever it stands, at whatever address, and however many goroutines
// or processors share the work. Each element is accumulated alone, over
// ascending k. That holds for the kernel of viterin/vek and for gonum's (which
// multiplies and adds by AXPY); it does not hold for gonum's product with B
// transposed, nor for its Sdot and Snrm2, whose kernels align themselves to the
// address and so change the order of the sum.
//
// Between machines with and without AVX2 the last bits differ: the one fuses
// multiplication and addition, the other rounds between them.
package simd
