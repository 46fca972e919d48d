// Package infer computes the forward pass of the multimodal model (package model) for the daemon: without a tape, node
// by node, from means that the caller keeps.
//
// A Model is made of a Config and weights, or of a seed (Seeded). Node and Artifacts turn Features into input vectors,
// Layer turns a batch of Inputs (a node's vector and the Messages of its neighbours) into the next layer's vectors, and
// Output makes embeddings of the last ones. The package knows nothing of the graph, of how means are kept, or of
// training.
//
// # Vectors of a node
//
// A vector has a block of Width numbers (Model.Width tells of one more) for each modality: record (text, facts and the node's type), image and audio,
// in this order. A block of zeros, and every block past the end of a vector, is absent: the node has nothing of that
// modality, of its own or around it. An archive of texts alone therefore keeps and computes one block.
//
//	h0_m = x_m W_m + b_m                                              own features x_m, or b_m where there are none
//	h'_m = LN(ReLU(h_m W_self + b + sum_r mean_r W_r)) + h_m          for the modalities that are active
//	t_m  = h_m of the last layer + x_m W_skip + b_skip                tokens of the modalities that the artifact itself has
//	E    = fusion(t), brought to length 1                             see package model
//
// With Config.Aggregator attention, mean_r is a weighted mean times the weight of r among the node's relations (package attend): what a
// node gives to those who read it (Give) has its vector times its weight, and the weight, so that of the mean of what neighbours give,
// which is all that a Message has, the weighted mean follows.
//
// A modality is active at a node that has features of it, or a message in it. Means are taken over the neighbours at
// which it was active one layer below. A node that has messages of a modality but no features of it starts from b_m,
// which is learned for that; an absent block has no effect.
//
// # Guarantee
//
// A row's result has the same bits whatever other rows are in a batch, wherever it stands, and however many goroutines
// there are. Every element is accumulated alone, in one order, as package gemm guarantees; that holds for a text in
// either form (sparse.Vector) too, if Width is a multiple of 8. Machines with and without AVX2 may differ in the last
// bits. The result does depend, in the last bits, on the order of a node's messages.
//
// The model is GraphSAGE with mean aggregation (Hamilton, Ying and Leskovec 2017, Algorithm 1) over typed relations
// that share a basis (Schlichtkrull et al. 2018, equation 3), with a branch for each modality; the fusion is attention
// among the modalities' tokens (Vaswani et al. 2017, section 3.2).
package infer
