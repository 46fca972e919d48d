// Package graphstore keeps the graph, and everything else that must survive, in badger.
package graphstore
