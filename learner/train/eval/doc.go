// Package eval measures rankings against what people say is alike.
//
// A Truth is read from a file of graded pairs or theme labels (Read), or made of labels (Labels). It gives Queries,
// each an artifact with grades of others. A Ranker is a system that is measured; Compare asks several the same Queries
// and returns a Report. The package does not know how a ranking was made. Measure computes, for a ranking of the
// candidates:
//
//   - nDCG@10 (Järvelin and Kekäläinen 2002): the grades in the order of the ranking, each divided by
//     log2(1 + rank), over the same sum of the best possible order;
//   - recall@10 and recall@50: the part of the candidates of a grade above 0 that is among the first;
//   - MRR: 1 / the rank of the first candidate of a grade above 0, 0 when it is not among the first 50.
//
// Each is a mean over the queries, in 0..1. Intervals are bootstrap percentiles over the queries (Efron and Tibshirani
// 1993, section 13.3); those of differences resample both systems together (paired): two systems that were asked the
// same queries are told apart much sooner than by their own intervals.
//
// BM25 (Robertson and Zaragoza 2009) over all words of a record is the baseline: it is what the search of a catalogue
// would find.
package eval
