// Package tape differentiates computations over float32 matrices in reverse mode:
// every operation computes at once and is noted down; Backward walks the notes
// back (Griewank and Walther, "Evaluating Derivatives", 2008, chapter 3).
//
// Memory comes from an arena that Reset makes free again, so that a step of
// training leaves no garbage once the first has shown how much is needed.
// Matrices of a tape are therefore valid until its next Reset; parameters
// (Constant, Variable) are the caller's.
//
// What is independent, as the branches of a model are, can be computed and
// differentiated side by side (Fork): threads then meet once a branch instead of
// at each operation.
//
// Guarantee: results have the same bits for every number of threads: work is
// divided by rows into parts of a fixed size, and sums over rows are added up
// in the order of the parts. Dropout depends on its seed and the element's
// place only. Shapes that don't fit are programming errors and panic.
//
// Every operation's gradient is held against central differences of the same
// operation in float64 (see the tests).
package tape
