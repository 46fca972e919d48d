// Package vec has the loops over float32 vectors in which a model spends its time beside matrix products: Dot, Axpy,
// Exp, Norm, GELU, AdamW's Update and the like, in AVX2 assembly where the processor has it, else in Go.
//
// Slices come in, and results are written to slices or returned; nothing allocates, and nothing starts a goroutine: how
// work is divided is package par's. The functions named xSIMD do as many leading elements as fill AVX2 registers and
// return how many that were; the functions named xGo do the rest, or all.
//
// AddFixed, AddInts and MeanFixed keep sums in fixed point, by AVX-512 or in Go, with the same bits.
//
// Guarantee: a result depends on the values only, not on addresses. AVX2 and Go differ in the last bits. Slices of
// lengths that don't fit are programming errors and panic.
package vec
