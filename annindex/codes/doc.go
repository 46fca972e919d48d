// Package codes multiplies one vector with many, approximately and at once, and says how far that may be off.
//
// Rows are vectors whose numbers are rounded to a byte each; a Query is one of which each number is rounded to two, and for Coarse to 7 bits,
// which takes half as long. Their inner product is one of whole numbers, exact. What rounding took from either is known by its length, so that
//
//	|<q, r> - product| <= |q| rest(r) + rest(q) |r|
//
// up to the rounding of float32. Half of a step is lost of a number at most: of a unit vector of 256 numbers rounding takes about a hundredth.
//
// What comes in: vectors. What goes out: products. Package codes must not know whose the vectors are. An hnsw index keeps codes of its own,
// by its own slots.
package codes
