// Package gate decides whether a trained model may take the place of the one that serves.
//
// Both are asked the same of the same held-out artifacts:
//
//   - halves: given half of an artifact's fields and modalities, find the other half among those of all;
//     as a whole, and of each culture that has enough held-out artifacts;
//   - origins: given an artifact without all that names where it comes from, its culture by the vote of its nearest ones;
//   - links: given one end of a link that neither model has seen, find the other among all artifacts;
//   - themes: nearest neighbours by the embedding against the theme labels;
//   - expert: the same against the user's own truth.
//
// Each is compared query by query with a paired bootstrap (package eval). The candidate is promoted only if
// nothing is worse beyond noise and something is better. A culture is one of many comparisons, so it
// is compared at a level that all of them share (Bonferroni).
//
// Why not one number: a model that gains on what is frequent by forgetting what is rare has a better mean.
package gate
