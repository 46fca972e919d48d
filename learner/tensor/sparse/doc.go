// Package sparse holds rows of features of which many numbers are 0.
//
// A Vector is one row in one of two forms: whole, or only the numbers that are not 0 with their places. Of chooses the
// form, NonZeros makes the second. The package does not know what the numbers mean, nor what they are multiplied by.
//
// Why two forms: the features of a text are a projection of some hundreds of terms. Of 2,048 numbers, the label of an
// entity (median, in two museums' records and the demo archive) leaves 111 to 172 that are not 0, a whole record 792 to
// 1,541. A record's zeros save less than the jumps between its other numbers cost, and less memory than their places take.
package sparse
