// Package model is the multimodal encoder and its forward pass on a tape; the
// tape gives the gradients.
//
// A branch per modality m over one sampled neighbourhood (Hamilton et al. 2017),
// relations sharing a basis (Schlichtkrull et al. 2018, equation 3):
//
//	h0 = x W_m + b_m
//	h' = LN(h + drop(ReLU(h W_self + b + sum_r mean_r W_r)))    residual inside
//	h' = LN(drop(ReLU(h W_self + b + sum_r mean_r W_r))) + h    residual outside
//	t_m = h_last + x W_skip + b_skip
//
// A row without features has a learned vector in the place of x W_m: b_m.
// The residual may be concatenated instead: t_m = [h_last, x W_skip + b_skip] J_m.
//
// Then over the tokens t_m, absent ones masked, one of
//
//   - attention: t += Attention(LN t), each token reading the others; t +=
//     drop(FFN(LN t)) with GELU; z = LN(sum of sigmoid-gated tokens)
//   - transformer: the same, each token reading itself too; z = LN(mean of tokens)
//   - mlp: z = LN(mean of tokens + drop(FFN(all tokens side by side)))
//
// z is the embedding. The projection head, two layers with ReLU, brought to
// length 1, is for the contrastive loss.
//
// Shapes: x is rows x Modality.Features, everything else Width wide. Weights are
// in x out: rows are multiplied from the left.
//
// Params names the weights; a forward pass elsewhere finds them by
// Weights.Matrix. The seeded ones (see seed.go) are useful untrained.
package model
