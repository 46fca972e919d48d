// Command refresh measures the daemon's refresh engine, package learner/refresh, beside recomputation in Python, and what it
// costs as an entity grows.
//
//	make bench-refresh [OUT=FILE] [BENCH='-only stream -seconds 2']
//
// # Stream
//
// The graph, the model and the stream of edges are those of ../shared/peers/pipeline/recompute_arxiv.py, which writes them
// (`export`): ogbn-arxiv's shape, two layers of mean-SAGE, 128 -> 256 -> 40, nine tenths of the edges there at the start. The
// engine is the product's, in exact mode, over a graph in memory: nodes are artifacts, edges are links, which the model reads
// one way. The model is two products of package gemm behind the engine's interface of a Model. The peer keeps both layers'
// states in numpy and recomputes, layer by layer, what a batch can have moved; its rows are run by peer.py, which leaves
// the script as it is and adds the processor time of its batches.
//
// In each round both insert edges in batches of 1, 10, 100 and 1,000 for -seconds a size or until the stream ends: the
// peer, then ours, each beginning with the graph of the start. Inserting is timed, checking is not. Updates a second are
// edges by the sum of the batches' times; processor time is that of all threads, our garbage collector included. The ratio
// is of both, medians over the rounds.
//
// Ours removes the same edges again in batches of the same size, and gives nodes other features. After the insertions and
// after the changes all embeddings are compared with a full recomputation from the list of edges, with means in float64, and
// at the start, and at the end of the stream when it was reached, with the peer's; they may differ by the tolerance that
// the peer's header states. After the removals, and after the features were put back, the whole state has the
// bits that it had at the start.
//
// # Hubs
//
// Artifacts join one entity one by one, each with all that it sets off: its own unit, and units of background until
// nothing is pending. Model and epsilon are the daemon's defaults. Two kinds of members: of one kind, whose mean comes to
// rest; and such as write about other things the more they are, so that the entity's vector goes on moving. A row is a tenfold
// growth. Beside the cost stand how far the entity's pushed vector is from the exact one, which epsilon bounds (beyond it
// the run fails), and how far members' embeddings are. The exact mode is shown as it grows: there each insertion
// embeds every member.
//
// # Epsilon
//
// What an epsilon saves and costs on real records is BenchmarkEpsilon of daemon/pipeline, which `make bench-refresh` runs after
// this command.
package main
