// Package layout draws an archive as a map: a point for each vector, so that what is near in the space of the vectors is near on
// the map, and tells how far the map can be believed.
//
//   - Principal gives a first place to each vector: the plane in which the vectors differ most.
//   - New takes these places, or those of an earlier map, and each vector's nearest neighbours (of an annindex.Index, say); Layout.Run moves the
//     points, step by step; Layout.Points are where they are.
//   - Layout.Place says where a newcomer belongs, by its neighbours, and moves no other point.
//   - Measure tells the trustworthiness and the continuity of a map, at all points or at some (Venna and Kaski, "Neighborhood preservation in nonlinear
//     projection methods", ICANN 2001).
//
// # Method
//
// The points minimize the loss of t-SNE (van der Maaten and Hinton, JMLR 9, 2008) by gradient descent with momentum, gains and
// early exaggeration, at the learning rate of Belkina et al. (Nature Communications 10, 2019). Neighbours weigh the same, as in Böhm, Berens and Kobak
// ("Attraction-Repulsion Spectrum in Neighbor Embeddings", JMLR 23, 2022, section 3.2), who find no difference to perplexities: the graph
// that a search gives is enough. What far points do is summed up in a quadtree (van der Maaten, "Accelerating t-SNE using tree-based algorithms", JMLR 15,
// 2014).
//
// The loss of UMAP by negative samples was tried and lost: on the 14,252 vectors of walters-svd-128 its map had a trustworthiness of 0.955 at
// k = 15, 0.965 with ten negative samples instead of five; RESULTS.md of daemon/experiments/maps tells what this one has, beside scikit-learn's.
//
// # Guarantees
//
// A Layout is a function of start, neighbours and Config: the same to the bit for any number of threads. A Run that is
// ended by its context leaves a whole map, that of the last step.
//
// For n points with k neighbours a Layout takes about 100 n + 8 n k bytes, and a step some n log n operations.
//
// Package layout does not know what a vector stands for, nor where neighbours come from.
package layout
