// Package head makes of an artifact's Profile one dense vector a theme, for an index: which others may be like it in the
// theme is then found by cosines, and the Profiles of these alone are compared.
//
// Fit makes a Head of a theme by Profiles of any Works, labelled or not. On binds it to the Model that serves: a Projector, whose Vector is an
// artifact's in the index and whose Asking is what an artifact asks the index by. MarshalBinary and Unmarshal keep a Head.
//
// # Method
//
// A Head is a network of two layers. The first is the ridge regression of package theme, from words and names to the probabilities of the
// theme's terms (bounded, and over the root of how many are expected: Model.Coordinates). The second are their principal axes, 63,
// by subspace iteration from a seeded start (Halko, Martinsson and Tropp, "Finding Structure with Randomness", SIAM Review 2011, algorithm
// 4.4): of all linear maps to so few numbers they keep most of the inner products, which are about the expected Jaccard similarity.
//
// The length of these 63 numbers says how likely an artifact has the theme, and a cosine would not see it. So the 64th is what is missing to
// length 1, and in Asking it is 0: cosines then rank as inner products do (Bachrach et al., "Speeding Up the Xbox Recommender System Using
// a Euclidean Transformation for Inner-Product Spaces", RecSys 2014).
//
// What was tried instead, on works that were fitted (daemon/experiments/themes/RESULTS.md): networks trained by gradients, on the same features or
// from these axes on, ranked worse or no better; E of the untrained model beside the features changed nothing. What the axes leave out
// is in themes of many terms, where 63 numbers are few; 31 ranked 0.014 of nDCG@10 worse in the mean of fifteen themes.
//
// # Bounds
//
// A Head of t terms has 126 t numbers: 300 terms take 151 KB. Fit takes memory for the Coordinates of the Profiles, and
// time in proportion to them: of 8,000 Profiles 0.18 s. A Vector costs 63 multiplications a Coordinate, of
// which there are some tens.
//
// # Guarantees
//
// A Head is a function of its theme and its Profiles, in their order, to the bit: a new theme trains its Head alone, and nothing of another
// one is read or changed. Fit works on one goroutine; several Heads may be fitted at once. Heads and Projectors are not changed
// once made.
//
// The package does not know the index, the store, or labels.
package head
