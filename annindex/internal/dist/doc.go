// Package dist holds the inner loops of the indexes: inner products of float32
// vectors, and of a query with rows of 8-bit codes.
//
// Each function has one meaning and a form in vector instructions, chosen at start by what the processor and its
// system have (AVX2 with FMA, AVX-512, or AVX-512 with VNNI on amd64; NEON on arm64), and one in Go for all else (also
// with the tag purego). AVX-512 is F, BW, DQ and VL, and only Dot, DotRows and Scores have forms in it; the others are AVX2's.
//
// The integer functions agree bit for bit in all forms. Dot sums in one order in all forms
// (32 running sums, see Dot); the vector forms agree bit for bit, on whichever processor, so scores that one computed
// can be compared with another's. The Go form rounds products before they are added, so it may differ from
// them in the last bits. The tests hold all forms that the processor has against one another and against exact sums;
// make test-avx512 runs them on emulated processors.
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
