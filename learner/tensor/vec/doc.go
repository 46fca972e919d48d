// Package vec has the loops over float32 vectors that a model spends its time
// in beside matrix products: in AVX2 assembly where the processor has it, else
// in Go.
//
// Guarantee: a result depends on the values only, not on addresses; the two ways
// differ in the last bits. Slices of lengths that don't fit are programming
// errors and panic. Nothing allocates.
package vec
