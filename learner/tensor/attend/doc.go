// Package attend has the arithmetic of attention among neighbours, one for training (package tape) and serving (package
// infer): Dot, the logit that Clip makes of a score, and the Weight of that.
//
// # Form
//
// A node i reads, over a relation r, the weighted mean of its neighbours j, and weights the relations among each other:
//
//	z_r = sum_j w_j h_j / sum_j w_j           w_j = e^clip(a_r h_j / sqrt(d))
//	message of r = n b_r z_r                  b = softmax over i's n relations of clip((q_r z_r + p_r h_i) / sqrt(d))
//
// clip(s) = L s / (L + |s|) lies between -L and L, and is steepest at 0, by 1. Where a, q and p are 0, as they are seeded, z_r is the
// mean and the message of r is z_r: an untrained model computes what one with mean aggregation does, and a model trained by means
// goes on from there.
//
// # Why this form
//
// An entity of a graph that grows has thousands of neighbours; it keeps the sums of w_j h_j and of w_j (package refresh), to which a
// newcomer is added and of which it is taken, exactly. For that, w_j may depend on j and on the relation, not on who reads.
//
// The obvious design is that of GAT (Velickovic et al. 2018, equation 3), e^LeakyReLU(s_i + t_j), a logit of both. It has no such sums:
// the LeakyReLU bends at s_i + t_j = 0, so each change of s_i moves other neighbours from one slope to the other, and all would be read
// again. What it loses here is little. Without the LeakyReLU e^(s_i + t_j) is e^s_i e^t_j, and e^s_i cancels against the denominator; with it,
// who reads decides how sharp the weights are, but the order of the neighbours is the same for all readers (Brody, Alon and Yahav
// 2022, theorem 1). Attention by a scalar product of i and j does rank by who reads, and would have to read all neighbours again
// whenever i changes: O(members) for each newcomer of a hub. Reading small neighbourhoods so, and hubs by sums, is two functions for
// what is learned as one, with a step where an entity grows from one to the other.
//
// What depends on who reads is here the weights of the relations (p_r h_i): an artifact has a dozen at most, and they are
// computed anew whenever it is embedded. In HAN (Wang et al. 2019, equation 7) these weights are means over all nodes, which each
// newcomer would change for all; here they are each node's own.
//
// Each relation has one a_r, and each modality of a model its own: a head is a relation in a modality. Several heads in each would
// multiply what a sum's bound takes (package infer) by the root of their number.
//
// # Guarantee
//
// Dot, Clip and Weight have the same bits on every processor: no operation is fused, and the exponential is made of sums and
// products alone. So what was added to a sum on one machine is what is taken from it on another, to the last bit. A Weight lies between
// 2^-8 and 1: sums of weighted vectors are no greater than sums of vectors, and no weight vanishes in their fixed point, whose
// steps are 2^-32.
package attend
