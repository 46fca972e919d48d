// Command ranker shows what judgments do for the order of stage 2, and what stage 1 misses.
//
// The archive is the Walters' (../shared/data). It has links of its own making: objects of one set or book by inventory number, and texts
// that name the number of another object ("a pair with Walters 44.688"). An artifact with links asks, and those that it is linked
// with are to be found. Numbers are taken out of all texts before anything is made of these; the names of pictures' files, from which
// an artifact's own number is known, are read by nobody. Sets of more than twenty are no links.
//
// Of each group of linked artifacts one is drawn. Some of the drawn are judged: their links are of grade 1, all other candidates of grade 0;
// the others are measured. All rank the candidates that stage 1 of the daemon finds: the 200 nearest by the embedding of a new
// state's model, and up to 200 that share rare entities.
//
//   - stated weights: rerank.DefaultScoreWeights
//   - BM25: over all words, among the whole archive
//   - weights tuned: the weights, of a thousand drawn, that rank the judged artifacts best
//   - learned: package rank, fitted to the judged artifacts, on the features of package pair
//
// Intervals are of 95 %, by bootstrap over the measured artifacts, paired.
//
// Then, for some artifacts, all others are scored: of the ten best so found, how many each way to find candidates has among its 200. The learned
// order is that of the best fifty by stated weights, as package rank would have it used: it is fitted to candidates, and says nothing of
// pairs that are none.
//
// Last, the daemon's own room (package ranking) is given the judgments, the documents and the stated lists, and decides itself whether to order lists: what is measured
// is what the daemon would answer. Without judgments it must be the stated order.
//
// With -messages it is counted instead how many rows are stored and how many messages told a newcomer, by lists as the daemon keeps them (package topk, in memory), with
// and without a ranker that the room has learned: the last of the archive come one by one, and nothing waits. The demo archive (-feed of kilim demo --no-media) has no
// inventory numbers; there threes of one motif and one craft are judged alike, by labels that nothing else reads.
//
// The number of leaves, the rate and the ridge of package rank, and its rule where to stop, were looked at on draws 101 to 103; the draws that are shown
// are 1 to 5.
package main
