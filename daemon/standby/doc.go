// Package standby lets a whole state (graph, vectors, lists, index: everything that a model has made) be
// replaced by that of another model while it serves.
//
// # Layout
//
// A generation is a store with the index's snapshot beside it. The first is where a state has always been, later ones are in
// folders of their own:
//
//	graph/, index.snapshot                            generation 1
//	generations/NNNN/graph/, .../index.snapshot       later ones
//	CURRENT                                           which serve, precede and are being made
//
// CURRENT is replaced whole. Folders that it does not name are removed at the start. Without it, generation 1 serves.
//
// # The way to another model
//
// Promote writes into CURRENT what is to be made. A draft (see package pipeline) takes the documents from the store that
// serves, in the background and with a bounded share of the time, computes its lists and follows what changes.
// When it is complete, the change takes one step: while nothing is at work in either, the draft gets what has changed last and
// what stands between the old state and Kafka (offsets, outbox, numbering; the identity it has had from the
// start), and CURRENT is written. A crash before that leaves the old state as if nothing had been; one
// after it the new one. The consumer and the queries go on with the new state, the publisher with the same messages under
// the same numbers: so nothing is lost, nothing is published twice, and no answer is of two models.
//
// Then the lists of the new state are published in the background, as fast as the outbox drains. What changed in each is counted
// from the list published before, so the old store stays until all are out, and goes then. A crash meanwhile resumes
// that, for a list that is not yet published says so in its row.
//
// To go back to an older model is the same with that model: its vectors and lists are what they would be had it served all
// the time. A finished generation is not kept for that: it would be stale by what has come since.
//
// A build that is interrupted goes on where it was: what differs between the two stores is found by reading both.
package standby
