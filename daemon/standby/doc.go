// Package standby replaces a whole state (graph, vectors, lists, index: everything that a model has made) by that of
// another model while it serves: a standby is made beside the state that serves, and then cut over to.
//
// An instance is one opened state: a folder, the graphstore.Store in it and the pipeline.Engine over that store.
// Manager holds the instance that serves and makes the next one. It is the consumer.Sink of the daemon, gives queries
// the Engine and the publisher the outbox of the instance that serves at the moment. Config says how an instance is
// opened, ID names one, Status tells what serves and what is made.
//
// In come batches of records (Apply), lists of themes (Beside), requests for a model (Promote, Rollback), what the topics hold (Republish) and the word that lists are published
// (Engine.Published). Out go the Engine, the Store and the Status of what serves. The package must not know how vectors
// and lists are computed (package pipeline's part), whether a model is good (learner/train/gate's), nor HTTP or
// configuration files.
//
// # Layout
//
// The first instance is where a state has always been, later ones have folders of their own (which are called generations,
// as is the number of an instance in CURRENT, in metrics and in HTTP answers):
//
//	graph/, index.snapshot                            instance 1
//	generations/NNNN/graph/, .../index.snapshot       later ones
//	CURRENT                                           the numbers and epochs of those that serve, precede and are being made
//
// CURRENT is replaced whole. Open removes the folders that CURRENT does not name. Without CURRENT, instance 1 serves.
//
// # The way to another model
//
// Promote writes into CURRENT what is to be made. A build opens the standby, copies the documents of the instance that
// serves into it (the backfill), in the background and with a bounded share of the time, and has it compute its lists
// while the changes are copied too. It ends under any feed (TestBuildEndsUnderASteadyFeed, TestBuildEndsUnderAnyFeed): batches
// wait while the standby falls behind them, and what the feed makes stale faster than the standby can follow beside the
// instance that serves is left for after the cutover. On a disk that has no room for two states, the build waits, and the
// instance that serves goes on (TestStandbyLeavesRoom).
//
// When the standby has caught up, the cutover takes one step: while nothing is at work in either instance, the standby gets
// what has changed last and what stands between the old state and Kafka (offsets, outbox, numbering; it has had the identity
// from the start), and CURRENT is written. A crash before CURRENT is written leaves the old state as if nothing had been, a
// crash after it the new one. The consumer and the queries go on with the new instance, the publisher with the same messages
// under the same numbers: so nothing is lost, nothing is published twice, and no answer is of two models
// (TestPromoteAndRollBack, TestNoAnswerIsOfTwoModels, TestCrashAtEveryWrite).
//
// After the cutover the lists of the new state are published in the background, as fast as the outbox drains. What changed
// in each list is counted from the list published before, so the previous store stays open until all are published, and is
// removed then. A crash meanwhile resumes that: a list that is not yet published says so in its row.
//
// To go back to an older model is the same with that model: its vectors and lists are what they would be had it served all
// the time. The previous instance is not kept for that: it would be stale by what has come since.
//
// Rebuild is the same for the model that serves, when rows are damaged that follow from documents.
//
// A build that a stop interrupts goes on where it was: what differs between the two stores is found by reading both.
//
// # Publishing everything again
//
// Republish is for a topic that holds other messages than the state knows of: in one commit all lists count as not published, and
// the state becomes another writer if its folder was put back, or if it goes on in the place of another daemon (package daemon/follow). A crash leaves the state before it, in which the next start finds
// the same, or after it (TestRestoredFolders, TestRestoredFolderAtEveryCrash).
package standby
