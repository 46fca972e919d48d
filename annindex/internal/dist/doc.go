// Package dist holds the inner loops of the indexes: inner products of float32
// vectors (Dot, DotRows), and of a query with rows of 8-bit codes (Rows.Scores), with what belongs to them.
//
// Its one type is Rows, the codes of all slots of an arena; the rest are functions on slices. Package dist must not
// know ids, links or levels: it is given slots and trusts them.
//
// Each function has one meaning and several versions: in vector instructions (AVX2 with FMA, AVX-512, or AVX-512 with
// VNNI on amd64; NEON on arm64) and in Go for all other processors and for the tag purego. The variable best is the
// instructionSet in use, the best that the processor and its system have. AVX-512 here is F, BW, DQ and VL, and only
// Dot, DotRows and Scores have versions in it; the others run AVX2's.
//
// All versions of the integer functions agree bit for bit. All versions of Dot sum in one order (32 running sums, see
// Dot). Those in vector instructions agree bit for bit, on whichever processor, so scores that one computed can be
// compared with another's. The Go version rounds each product before it is added, so it may differ from them in the
// last bits. The tests hold all versions that the processor can run against one another and against exact sums; make
// test-avx512 runs them on an emulated processor.
//
// # Reading beside a writer
//
// Store may rewrite a row while a search reads it. The search then may see a part of the old and a part of the new row,
// never a value that was in neither, since all accesses are of whole words. A caller that needs a whole row checks the
// slot's sequence number before and after (package hnsw's arena.read, scratch.collect). For that, the reads of DotRows,
// and what CopyRow reads and writes, are done before they return, and CopyRow begins when all before it is done: amd64
// keeps the order by itself, the NEON versions have barriers, and the accesses of the Go versions are atomic.
package dist
