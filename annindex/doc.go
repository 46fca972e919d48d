// Package annindex finds the nearest vectors by inner product or cosine. It knows ids and
// vectors, and nothing of what they stand for.
//
// Three engines are behind one interface: hnsw is a graph (package hnsw), fast and
// nearly exact, and the default; flat compares with every vector, is
// exact, and is the oracle of the others as well as the choice for small
// archives; coder is github.com/coder/hnsw, kept as a
// measured baseline.
//
// Vectors are compared by their inner product, which is the cosine of unit vectors: with the metric dot they are
// held as they are given, with cosine they are brought to length 1. Scores are bit-exact for a pair of vectors: they
// depend neither on the slot that a vector lies in, nor on the number of
// queries asked at once, nor on which of the two is the query. The chain relies on
// it where it compares states that were reached in different ways.
package annindex
