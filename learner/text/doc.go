// Package text turns text into features that need no model file: words and
// character 3- to 5-grams, hashed, weighted by tf-idf, and projected to a
// dense vector by a fixed random matrix.
//
// The words are kept by the caller as evidence for reranking; the dense vector is
// the input of the graph network. Weights: (1 + ln tf) * idf, with
// idf = ln((1+N)/(1+df)) + 1 (the smooth form of Salton and Buckley 1988). The
// sparse vector is brought to length 1 and projected by a sparse
// Johnson-Lindenstrauss transform (Kane and Nelson 2014, section 4: block
// construction), whose columns come from a hash and are never stored. Cosines are
// preserved within about 1/sqrt(Dim).
//
// Equal input gives equal bits, whatever was computed before.
package text
