// Package annindex finds the nearest vectors by inner product or cosine.
//
// Its types are Index, Hit and Config; New makes an Index. In come ids and vectors, by Put, Delete and Restore, and
// queries; out go Hits, best first, and a file by Snapshot. Package annindex must not know what an id stands for
// (artifacts, themes), where the vectors are stored (badger) or where they come from (Kafka, the model).
//
// Config.Engine chooses between three engines behind Index. hnsw, the default, is a graph (package hnsw): fast and
// nearly exact. flat compares with every vector: exact, the oracle of the others and the choice for small
// archives. coder is github.com/coder/hnsw, kept as a measured baseline.
//
// The packages below serve an Index: recall measures how much of the truth it finds, swap rebuilds it while it serves,
// and maintain does the second when the first is too low. The command bench measures package hnsw.
//
// Vectors are compared by their inner product, which is the cosine of unit vectors. With the metric dot an Index holds
// vectors as they are given, with cosine it scales them to length 1. Scores are bit-exact for a pair of vectors: they
// depend neither on the slot that a vector lies in, nor on the number of queries asked at once, nor on which of the two
// is the query. The daemon relies on it where it compares states that were reached in different ways:
// TestScoresAreBitExact holds it.
package annindex
