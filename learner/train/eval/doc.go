// Package eval tells how good rankings are, against what people say is alike.
//
// A Truth is a file of judgments; it gives Queries, each an artifact with grades of others. A
// ranking of the candidates is measured by
//
//   - nDCG@10 (Järvelin and Kekäläinen 2002): the grades in the order of the ranking, each divided by
//     log2(1 + rank), over the same sum of the best possible order;
//   - recall@10 and recall@50: the part of the candidates of a grade above 0 that is among the first;
//   - MRR: 1 / the rank of the first candidate of a grade above 0, 0 when it is not among the first 50.
//
// Each is a mean over the queries, in 0..1. Intervals are bootstrap percentiles over the queries
// (Efron and Tibshirani 1993, section 13.3), of differences over the same resamples of both (paired): two
// systems that were asked the same are told apart much sooner than their intervals are.
//
// BM25 (Robertson and Zaragoza 2009) over all words of a record is the baseline: what a
// catalogue's search would find.
package eval
