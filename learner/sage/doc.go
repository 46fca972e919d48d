// Package sage is the forward pass of one branch of the model: inductive
// GraphSAGE with mean aggregation (Hamilton, Ying, Leskovec 2017, Algorithm 1)
// over typed relations whose matrices share a basis (Schlichtkrull et al. 2018,
// equation 3), with layer normalization and a residual in every layer:
//
//	h0 = LayerNorm(W_in x + t)                               t: a vector per node type
//	h' = LayerNorm(ReLU(W_self h + sum_r W_r mean_r)) * g + h   W_r = sum_b c[r,b] V_b
//	E  = (W_out h2 + W_skip h0), brought to length 1
//
// The mean is taken by the caller, per relation; a relation without neighbours
// sends no message. A node without features has the vector a in place of W_in x.
//
// Guarantee: a row's result is, bit for bit, the same whatever stands beside it in a batch,
// wherever it stands, and however many cores there are. gonum's sgemm
// accumulates each element of the product over k in ascending order, one row of
// the result at a time, so a row's sums are always formed in one order; the
// test of this package holds it to that. Everything else here is done row by row.
//
// Weights are seeded. The gain g of a layer is small against the residual: an
// untrained network must leave alike what is alike, and let the neighbourhood
// say its part.
package sage
