// Package pipeline joins the parts into the one thing the daemon does: it takes
// batches of records, weaves them into the graph, refreshes what they touch,
// and puts the lists that changed into the outbox.
//
// The guarantee. A unit of work (a batch of records, or a piece of background
// refresh) is ONE atomic commit of nodes, edges, vectors, lists, document
// frequencies, consumer offsets and outbox messages. A crash leaves the state
// before or after a unit, never between, and the offsets tell the consumer
// where to go on: no record is lost and none is applied twice. What is in
// memory (index, term table, caches) is derived from the store and is made
// anew at start; after a failed commit it would be ahead of the store, so a
// failed commit ends the process.
//
// Why not commit offsets to Kafka's group and deduplicate: the two commits can
// not be made one, so a crash between them either loses a record or applies it
// twice, and a running sum that was added to twice can not be told from a right one.
//
// One unit runs at a time. Records have precedence: while they come, background
// units take about 10 ms each and half of the time at most, and none is begun
// while a batch waits. A batch does its share of what it sets off (an embedding
// and a list for each of its records), the background does the rest.
//
// Pictures and recordings are encoded beside all that (package encode). The unit that brings a record notes in
// a row for each of its media that it waits, or takes the vector that is there already for the same bytes. The artifact is
// embedded at once, by what else is known of it. An answer is a unit of its own, which
// stores the vector and renews the artifact; its lists follow. The encoders are a part of the state's identity, as
// the model is: vectors of two encoders never meet, and another encoder means a standby of the whole state.
//
// What is exact. Deletions leave every list at once. A newcomer's list is
// computed against all that is stored, and the lists it enters are found among
// its own candidates. Everything else that can move a score (document
// frequencies, embeddings of neighbours) is followed by the background sweep,
// which recomputes an artifact's features and lists when the archive has
// changed by more than Config.Sweep since they were made; the weights of words
// and entities that a score is made with may be older than it by a tenth of
// that. How far embeddings are from exact is sampled and exported
// (kilim_embedding_drift). With Engine flat, Sweep, Epsilon and Tolerance 0 and all queues
// empty, the lists are a pure function of the live artifacts. The default engine's lists lack
// what its index does not find (kilim_index_recall_ratio).
package pipeline
