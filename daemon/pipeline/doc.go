// Package pipeline joins the stages into the one thing that the daemon does: a batch of records becomes a change of the
// graph, of embeddings, of the index and of lists, and the lists that changed become messages in the outbox.
//
// Its types, from the outside in:
//
//   - Engine is the pipeline over one graphstore.Store, with the settings of Config. Engine.Apply takes batches,
//     Engine.Run works off what they leave over. Engine.Beside has others write lists that no stage knows of.
//   - Queries answer questions about committed states. Archive shows a state to training, MediaState shows it to the worker
//     that encodes media. Status tells where it stands, and Check verifies it.
//   - Standby is an Engine of another model that is made beside the one that serves. Its role, with the phase of the state's
//     life (backfilling, completing, serving, retired), is the only place that says which of the two an Engine is.
//   - unit is one atomic change of the store. It has the Pass of each stage over one graphstore.Tx. A stage is a value with a
//     name and a function; unit.complete lists the stages that follow on a change of the graph, in their order.
//   - turns.Turns says whether a batch or the background may begin a unit; vocabulary.Vocabulary says what a record tells and
//     makes features of it; vectorindex.Index is the index of embeddings with its file; listgraph.Graph shows a transaction to
//     package topk.
//
// In come batches of decoded records (consumer.Batch), answers of encoders (encode.Answer), questions, and the documents of another
// store (Standby.CopyFrom). Out go commits of the store, with the outbox that package publish delivers, and answers.
// Package pipeline must not know how anything is computed: what an artifact is in the graph (package weave), embeddings
// (package refresh), vectors of media (package encode), nearest vectors (package annindex), lists (package topk). Nor does
// it talk to Kafka, or know HTTP, configuration files, or which of two states is to serve (package standby).
//
// # The guarantee
//
// A unit (of a batch of records, of answers, or of background work) is ONE atomic commit of nodes, edges, vectors, lists,
// document frequencies, consumer offsets and outbox messages. A crash leaves the state before or after a unit, never
// between, and the offsets tell the consumer where to go on: no record is lost and none is applied twice
// (TestCrashAtEveryWrite). What Engine holds in memory (the index, the term table, the stages' caches and queues) is derived
// from the store, and Open makes it anew. After a failed commit it would be ahead of the store, so Engine begins no unit
// any more, and the error ends the process.
//
// Why consumer offsets are not committed to Kafka's group, with duplicates dropped: the two commits can't be made one, so a
// crash between them either loses a record or applies it twice, and a running sum that was added to twice can't be told from
// a right one.
//
// # Who works when
//
// One unit is at work at a time: Engine.unitLock. Records go first: while they come, background units take about 5 ms each, beside their commit,
// and half of the time at most, and none begins while a batch waits (package turns). The unit of a batch does its share of
// what it sets off (an embedding and a list for each of its records); background.next gives the rest to background units.
//
// What a batch brings is published with it. What changes in the lists of others lingers while there is load, see Engine.linger, and
// goes with the first unit that begins when it has for Config.Linger, be that a batch's or one of its own. The obvious design, to
// publish it in the background alone, would let a flood that never leaves it a turn put it off for ever.
//
// Pictures and recordings are encoded beside the units (package encode). The unit that brings a record writes a row for each
// of its media that waits, or takes the vector that the same bytes have already. It embeds the artifact by what else is
// known of it. An answer of an encoder is a unit of its own (MediaState.Answer), which stores the vector and renews the
// artifact; its lists follow. The encoders are a part of a state's identity, as the model is: vectors of two
// encoders never meet, and another encoder means a standby of the whole state.
//
// # What is exact
//
// A deletion takes the artifact out of every list in its own unit. A newcomer's list is computed against all that is
// stored, and every list that it enters is found: by bounds of its score with each artifact, as long as these take no more than their share of
// memory (topk.Share), and in a larger archive among its own candidates. Everything else that can move a score (document
// frequencies, embeddings of neighbours) is followed by background units, which compute an artifact's features and
// lists again when the archive has changed by more than Config.Sweep since they were made; the weights of words and
// entities that a score is made with may be older than the score by a tenth of that. How far embeddings are from exact is
// sampled and exported (kilim_embedding_drift).
//
// With Config.Engine flat, with Config.Sweep, Config.Epsilon and Config.Tolerance 0, and with all queues empty, the lists
// are a pure function of the live artifacts (TestEndStateIsPure, TestListsAgainstOracle). While scores are bounded, no list
// depends on what the index finds; in a larger archive lists lack what it does not find (kilim_index_recall_ratio).
package pipeline
