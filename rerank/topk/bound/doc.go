// Package bound finds, for an artifact, everyone whose list it may belong in and everyone who may belong in its own, without
// scoring it with all: nobody else has a score with it that would do.
//
// A Table holds, of each artifact of an archive, what an upper bound of its scores takes, and what a score must reach to enter its
// lists. A Scan goes over it for one artifact, first to name those whose own lists the artifact may enter and the likeliest of
// its own list, then, when these are scored and its own lists have a last entry, the others that may be before that.
//
// What comes in: evidence and vectors as artifacts come, move and go, the last scores of lists, a scorer's weights. What goes out:
// nodes to be scored. Package bound must not know what becomes of them, nor the store, nor the index; what it holds follows from both.
//
// # The bound
//
// A score is a sum of inner products that are not negative, a closeness of dates, and a link, each with its weight. An inner
// product is at most one that is computed exactly and the lengths of what was left out of it. Of embeddings that is the product of their codes
// (package codes), of words and entities that of the rare ones, which inverted lists find. So
//
//	score(a, b) <= w_E (<codes of a, codes of b> + |a||rest of b| + |rest of a||b|)
//	             + w_words (<a,b> on rare words + |common of a||common of b|) + w_entities (likewise)
//	             + w_date date(a, b) + w_link link(a, b)
//
// All but the inverted lists is one pass over the columns of the Table, with the query's codes of 7 bits. Where the bound is large enough, 16 bits and dates
// are looked at. Links are left to the caller, who knows the few that there are.
//
// The first 16 principal axes and the length of the rest bound nothing for a model whose embeddings are spread over many directions:
// of the seeded one's 16 axes hold a third (RESULTS.md of package topk).
//
// The obvious design, to look only at the artifacts among which the newcomer's own list is looked for, misses those to whom the
// newcomer is near while it has nearer ones itself: nearness is symmetric, being among the nearest is not.
//
// # Epochs
//
// Document frequencies change with every artifact, and with them every weight. Table.Begin begins an epoch, with the frequencies of then, at
// which the lengths of all are computed; until the next nothing drifts: Table is the rerank.Weights of its epoch, and the bound holds for
// artifacts that were weighed by it. A word that comes within an epoch keeps the weight that it came with.
package bound
