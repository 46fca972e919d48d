// Package maps tells how near groups of artifacts are to one another: culture to culture, period to period, place to place.
//
// A Map keeps for each group the number of its artifacts and the sum of their embeddings, which are unit vectors. The mean cosine over all
// pairs of two groups is the inner product of their sums by the number of pairs: no pair is looked at. Join says to which
// groups an artifact belongs, Move that its embedding has changed, and each costs a few additions a group, however large it is.
//
// The sums are exact. A coordinate is rounded once, to a whole number of 2^-30, and whole numbers are added: what was added can be
// taken away again, in any order, and leaves no trace, so that a Map which followed a feed for years is that which is made anew of
// what lives, bit for bit. Sums of floats drift, and compensated ones only less. An int64 holds 2^33 of such coordinates.
//
// NewSparse is for vectors with thousands of coordinates of which an artifact has a few, those of a theme: the sums are the same, and take memory for
// what is not 0.
//
// Cells gives each pair of groups its mean cosine with an interval, its contrast (the cosine of what sets each of the two apart from
// the mean of all artifacts: embeddings share most of what they have, and the contrast is what is left), and the nearest pairs of artifacts.
// Interval and pairs come from at most sampled artifacts of each group, the same ones at each call: they are those whose ids, which are hashes, are the smallest.
//
// A Comparer gives the same Cells again and again: it compares artifacts one by one only where the sampled ones of a group are others, or elsewhere.
//
// Cluster joins groups by how near they are, for a dendrogram.
//
// The package must not know what an artifact or a group is, nor where vectors are kept: Vectors is asked for them.
package maps
