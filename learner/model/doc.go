// Package model is the trainable multimodal encoder: a forward pass on a tape (package tape), which gives the
// gradients.
//
// Config is a model's shape; New makes of it a Model, which numbers and names the parameters (Params) and seeds their
// values (Init). Weights are the values. Forward takes a tape, Weights, features and a Block, which is a sampled
// neighbourhood of some items, and returns embeddings and projections, a row for each item. The package does not know
// what an artifact is, how neighbourhoods are sampled, or how weights are updated.
//
// Each modality m has a branch over the neighbourhood (GraphSAGE: Hamilton, Ying and Leskovec 2017, Algorithm 1) whose
// relations share a basis (R-GCN: Schlichtkrull et al. 2018, equation 3):
//
//	h0 = x W_m + b_m
//	h' = LN(h + drop(ReLU(h W_self + b + sum_r mean_r W_r)))    residual inside
//	h' = LN(drop(ReLU(h W_self + b + sum_r mean_r W_r))) + h    residual outside
//	t_m = h_last + x W_skip + b_skip
//
// With Config.Aggregator attention, the neighbours of a relation are weighted, and mean_r is the message of r that package attend defines:
// a weighted mean, times the weight of r among the node's relations.
//
// A row x of which few numbers are not 0, as of a label, is multiplied by these alone (tape.InputProduct).
//
// A row without features has a learned vector in the place of x W_m: b_m. The residual may be concatenated instead: t_m
// = [h_last, x W_skip + b_skip] J_m.
//
// Then one of these fuses the tokens t_m of an item, absent ones masked:
//
//   - attention: t += Attention(LN t), each token reading the others; t +=
//     drop(FFN(LN t)) with GELU; z = LN(sum of sigmoid-gated tokens)
//   - transformer: t += drop(Attention(drop(LN t))), each token reading itself too, and the rest as above
//   - mlp: z = LN(sum of sigmoid-gated tokens + drop(FFN(drop(LN t) of all tokens side by side)))
//
// z is the embedding, or z W_out where an embedding is not as long as a layer is wide. The projection head, two layers with ReLU and a scaling to length 1, is for the contrastive loss
// only; a Model WithBranchHeads has one behind each branch too, for Project.
//
// Shapes: x is rows x Modality.Features; the embedding and the head are Embedding wide, all else Width. Weights are in x out: rows are multiplied from the
// left.
//
// Package infer computes the same function from the same Weights without a tape. The seeded weights (see seed.go) are
// useful untrained.
package model
