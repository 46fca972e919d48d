// Package listgraph shows package topk a graphstore: a committed state to who searches (Reader), and the transaction of a unit
// to the pass that writes lists (Graph).
//
// In come questions about node numbers, out go what the store has of them, in topk's words. The package must not know what
// becomes of a list, nor when. It changes with the interfaces that topk declares, or with the rows that the store has; the
// units of package pipeline stay as they are.
package listgraph
