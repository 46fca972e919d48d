// Package swap serves one index while a second one is filled beside it with the same vectors, and then swaps the two.
//
// Its one type is Index, an annindex.Index over another, given to New. In come changes and queries, and by
// Index.Rebuild the empty index to be filled; out go the answers of the index that serves. Package swap must not know
// why an index is rebuilt (package maintain decides that), nor which engine it has.
package swap
