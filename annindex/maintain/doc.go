// Package maintain serves an index, measures its recall while it serves, and rebuilds it when the recall is too low.
//
// Its types are Index, Config and Stats. Index is an annindex.Index made of two parts: a recall.Watch, to which Index
// shows live queries, and vectors that are put, and which asks some of them again exactly, and a swap.Index, which builds the replacement beside
// the serving index and swaps the two. In come the changes and queries of an annindex.Index, and Config.Make, which
// returns the empty index to be filled; out go the answers, and Stats for the caller's metrics. Both checks and
// rebuilds happen in Index.Run, which the caller starts in a goroutine.
//
// Package maintain must not know where the vectors come from, nor which engine Config.Make chooses.
package maintain
