// Package rank learns from judgments in which order an artifact's candidates belong, and says of each score what gave it.
//
// The types: a Query is a judged artifact with its Candidates: the features of each pair, its Prior (the score by stated weights), its
// Grade. Fit makes a Model of queries, and tells with it, as Fitted, how well it ranks those that it was not fitted to. A Model
// scores a pair (Score) and shares the score out among the features (Explain); its bytes (MarshalBinary, Unmarshal) are versioned and checked.
//
// # The model
//
// A Model is the prior times a factor, plus the sum of some hundred small regression trees, fitted by LambdaMART (Burges, "From RankNet to
// LambdaRank to LambdaMART: An Overview", MSR-TR-2010-82): each tree is a step of Newton's method against the gradients of a pairwise
// loss that is weighted by what an exchange would change in nDCG. The trees are grown leaf by leaf on histograms of quantile bins.
//
// That the prior is part of the model is what lets some dozens of judgments be of use: trees alone would have to learn the whole order
// anew from them, in steps, and would tie whatever falls into the same leaves. Here they say where the stated order is wrong. With
// no tree the order would be the stated one; held-out queries decide how many there are.
//
// # What teaches
//
// Judgments do, and the archive's own links. Records cut into halves, which teach the embeddings, must not: their disjoint halves say
// that equal fields mean nothing.
//
// # Where it is used
//
// Package ranking of the daemon fits a Model and puts the best fifty of a stated list into its order, when somebody asks and when it is published. The fifty are what was measured to lose next to nothing
// against ordering all candidates, while on all artifacts a Model, which knows only pairs that were candidates, ranked worse than the stated weights (RESULTS.md of
// the experiment ranker).
//
// A score by margins is the query's own, that of a for b is not that of b for a, while package topk finds whose lists a newcomer
// enters by a score that is the same both ways. So the stated score goes on deciding who is among an artifact's best fifty, and the published list is the first of
// these in the learned order. The seam is topk.Order.
//
// What rank must not know: what the features are (package pair makes them), where judgments come from, and whether a Model may serve: it
// reports Before and After query by query, and a gate decides.
package rank
