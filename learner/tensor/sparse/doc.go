// Package sparse holds rows of features of which many numbers are 0.
//
// A Vector is one row, in the shorter of two forms: whole, or only the numbers that are not 0 with their places. Of
// chooses the form. The package does not know what the numbers mean, nor what they are multiplied by: gemm.MultiplySparse
// and package tape compute with both forms.
//
// Why two forms: the features of a text are a projection of some hundreds of terms. Of 2,048 numbers, the label of an
// entity (median, in two museums' records and the demo archive) leaves 111 to 172 that are not 0, a whole record 792 to
// 1,541. A record's few zeros save less than the jumps between them cost, and less memory than the places take.
package sparse
