// Package listgraph shows a state of the store as package topk reads and changes it.
//
// Reader is a committed state or one within a transaction, Graph a transaction; Orders put lists into a learned order by one of them. What comes in are nodes, edges, evidence and rows of
// package graphstore, what goes out the same in the terms of package topk. It must not know what lists are made of, nor when.
package listgraph
