// Package tape differentiates computations over float32 matrices in reverse mode (Griewank and Walther, "Evaluating
// Derivatives", 2008, chapter 3): each operation computes at once and is recorded, and Backward goes through the
// records from the last to the first.
//
// Features are what a model reads: Gather takes rows of them, of which the sparse ones stay so, and InputProduct is the
// Product of such rows. It has the same bits and, but for the order of a sum, the same gradient, of all rows of the
// weights: an optimizer sees no difference.
//
// A Tape has the operations (Product, Bias, LayerNorm, Attention, Mix, InfoNCE, ...) and the memory of their results. A
// Matrix is rows of numbers with or without a gradient: Constant and Variable wrap the caller's memory, Tape.New takes
// the Tape's. Edges are the entries of a sparse matrix with a relation each, for Mix; a Mask says which tokens there
// are, for Attention and Gates; Pairs are the entries of Edges by row and relation, for Attend. What comes out are results at once and, after Backward, gradients. The package does not
// know of models, artifacts or optimizers.
//
// Tape.New takes memory from an arena that Reset makes free again, so that a step of training leaves no garbage once
// the first step has shown how much memory is needed. Matrices of a Tape are therefore valid until its next Reset.
//
// Fork computes and differentiates independent parts, as the branches of a model, at the same time on child tapes:
// threads then meet once a part instead of at each operation.
//
// Guarantee: results have the same bits for every number of threads. Work is divided by rows into parts of a fixed
// size, and sums over rows are added up in the order of the parts. Dropout depends on its seed and the element's place
// only. Shapes that don't fit are programming errors and panic.
//
// TestGradients holds the gradient of every operation against central differences of the same operation in float64.
package tape
