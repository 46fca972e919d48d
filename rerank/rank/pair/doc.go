// Package pair tells what of two artifacts speaks for their being alike: the features that a rank.Model reads.
//
// The types: a Reader makes Facts of an artifact, once; Frequencies count how many artifacts have each fact; Weigh makes Weighed of Facts
// by them, and they have a binary form (MarshalBinary, UnmarshalFrequencies). A Rows compares one artifact with its candidates and writes a row of features for each, in the order of Names, which are also
// the names of a score's parts. A Set is what a title says of its artifact being one of a pair, a lid, a fragment, a leaf.
//
// What comes in besides are the parts of stage 2 (rerank.Parts) and its score, from which the margins are made: how far a candidate is
// above or below the query's tenth. They are why a score by these features is the query's own: that of a for b is not that of b for a.
//
// All else is symmetric. Nothing here depends on the order of arrival but the Frequencies, which are counts.
//
// What is left out: near-duplicate pictures. No encoder makes a perceptual hash, and the vectors of pictures are in the embedding, whose
// cosine is a feature.
//
// What pair must not know: judgments, models, how artifacts are stored, and labels of themes.
package pair
