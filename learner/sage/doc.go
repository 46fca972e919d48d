// Package sage is the forward pass of one branch of the model: inductive
// GraphSAGE with mean aggregation (Hamilton, Ying, Leskovec 2017, Algorithm 1)
// over typed relations whose matrices share a basis (Schlichtkrull et al. 2018,
// equation 3), with layer normalization and a residual in every layer:
//
//	h0 = LayerNorm(W_in x + t)                                     t: a vector per node type
//	h' = g LayerNorm(ReLU(W_self h + sum_r W_r mean_r)) + h        W_r = sum_b c[r,b] V_b
//	E  = W_out h2 + W_skip h0, brought to length 1
//
// Shapes: x has Config.Features numbers, h and the means Width, E Embedding.
// Vectors are rows, so the code multiplies by the transposes. The mean is taken
// by the caller, per relation; a relation without neighbours sends no message.
// A node without features has a vector of its own in place of W_in x.
//
// Guarantee: a row's result has the same bits whatever stands beside it in a
// batch, wherever it stands, and however many goroutines there are. Every
// element is accumulated alone, over one order; package simd says which kernels
// keep to that. Machines with and without AVX2 may differ in the last bits.
// The result does depend, in the last bits, on the order of a node's messages.
//
// Weights are seeded, until a trained model replaces them. The same Config gives
// the same weights; Fingerprint tells models apart.
package sage
