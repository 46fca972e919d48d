// Package infer is the forward pass of the multimodal model (package model) as the daemon
// computes it: without a tape, node by node, from means that the caller keeps.
//
// # Vectors of a node
//
// A modality is a block of Width numbers; record (text, facts, the node's type), image and
// audio follow each other in this order. A block of zeros, and every block past the end of a vector,
// is absent: the node has nothing of that modality, of its own or around it. An archive of
// texts alone therefore keeps and computes one block.
//
//	h0_m = x_m W_m + b_m                                              own features x_m, or b_m where there are none
//	h'_m = LN(ReLU(h_m W_self + b + sum_r mean_r W_r)) + h_m          for the modalities that are active
//	t_m  = h2_m + x_m W_skip + b_skip                                 tokens of the modalities that the artifact itself has
//	E    = fusion(t), brought to length 1                             see package model
//
// A modality is active at a node that has features of it, or a message in it. Means are taken
// over the neighbours at which it was active one layer below. A node that hears of a modality which it
// lacks starts from b_m, which is learned for that; what lies in an absent block has no effect.
//
// # Guarantee
//
// A row's result has the same bits whatever stands beside it in a batch, wherever it stands, and
// however many goroutines there are. Every element is accumulated alone, over one order, as package
// gemm guarantees. Machines with and without AVX2 may differ in the last bits.
// The result does depend, in the last bits, on the order of a node's messages.
//
// The model is GraphSAGE with mean aggregation (Hamilton, Ying, Leskovec 2017, Algorithm 1) over
// typed relations that share a basis (Schlichtkrull et al. 2018, equation 3), a branch a modality; the fusion
// is cross-attention among the modalities' tokens (Vaswani et al. 2017).
package infer
