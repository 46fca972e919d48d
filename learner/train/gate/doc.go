// Package gate decides whether a trained model may take the place of the one that serves.
//
// Compare takes a Benchmark and the two Models, asks both the same, and returns a Table of the results with its
// decision. The held-out artifacts of the Benchmark are those that the candidate was not trained on. Tasks:
//
//   - halves: given half of an artifact's fields and modalities, find the other half among those of all;
//     as a whole, and of each culture that has enough held-out artifacts;
//   - origins: given an artifact without all that names where it comes from, its culture by the vote of its nearest ones;
//   - links: given one end of a link that neither model has seen, find the other among all artifacts;
//   - themes: the nearest neighbours by the embedding, measured against the theme labels;
//   - expert: the same against the user's own truth;
//   - total origins, total links, total themes, total expert: the same by the published list total, of which the cosine of
//     embeddings is a part. Lists knows the other parts: what a task hides (origins, links) is hidden there too.
//
// Published says how many entries of the published lists the candidate would change; that alone is neither good nor bad.
//
// Each task is compared query by query with a paired bootstrap (package eval). The candidate is promoted only if
// nothing is worse beyond noise and something is better. The cultures are many comparisons, so each is made at a level
// that all of them share (Bonferroni).
//
// Why not one number: a model that gains on frequent artifacts by forgetting rare ones has a better mean.
//
// The package does not know how a model was trained, nor how it comes to serve.
package gate
