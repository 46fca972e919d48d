// Package dist holds the inner loops of the indexes: inner products of float32
// vectors, and of a query with rows of 8-bit codes.
//
// Each function has one meaning and a form in vector instructions (AVX2 and FMA on amd64 processors that have them,
// NEON on arm64) and one in Go for all else (also with the tag purego). The integer
// functions agree bit for bit in all forms. Dot sums in one order in all forms
// (32 running sums, see Dot); the vector forms agree bit for bit, the Go form rounds products before they are
// added, so it may differ from them in the last bits.
//
// # Reading beside a writer
//
// Rows may be rewritten by Store while a search reads them. A reader then may
// see a part of the old and a part of the new row, never a value that was in neither:
// all accesses are of whole words. Callers that need whole rows check a sequence
// number. So the reads of DotRows, and what CopyRow reads and writes, are done before they return, and CopyRow begins
// when all before it is done: amd64 keeps the order by itself, the NEON forms have barriers, and the Go forms' accesses
// are atomic.
package dist
