// Package dist holds the inner loops of the indexes: inner products of float32
// vectors, and of a query with rows of 8-bit codes.
//
// Each function has one meaning and two forms: AVX2 and FMA on amd64 processors that have them,
// and Go for all else (also with the tag purego). The integer
// functions agree bit for bit in all forms. Dot sums in one order in all forms
// (32 running sums, see Dot), the Go form with products rounded before they are
// added, so it may differ from the others in the last bits.
//
// # Reading beside a writer
//
// Rows may be rewritten by Store while a search reads them. A reader then may
// see a part of the old and a part of the new row, never a value that was in neither:
// all accesses are of whole words. Callers that need whole rows check a sequence
// number: the reads of DotRows are done before it returns: amd64 keeps loads in order, and the Go form's are atomic.
package dist
