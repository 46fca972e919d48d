// Package graphstore keeps the graph, and everything else that must outlive the process, in one badger folder.
//
// Its types:
//
//   - Store is an open folder. One process has it open at a time.
//   - Tx, from Store.Begin, is one batch of changes: all of it is durable after Commit, or none. There is one at a time. It
//     reads its own writes, which lie in an overlay over the committed rows until Commit.
//   - Reader, from Store.View, reads one committed state and never waits for the Tx. A Tx is a Reader too.
//   - Node, Edge, Doc and Media are what is in the graph: artifacts, their media, the entities that they share, and the
//     edges between them, each stored from both ends. Change says what a Tx.PutArtifact or Tx.DeleteArtifact did to it.
//   - OutboxEntry is a message to Kafka, committed with the changes that it tells of. Store.Ack removes it once Kafka has it.
//
// In come artifacts with the edges that they ask for, vectors, lists, term counts, consumer offsets and messages. Out come
// the same, by id or in the order of ids, and the outbox. One Tx holds all that follows from one batch of records, the
// consumer offsets and messages included: so a crash neither loses a record nor counts one twice.
//
// Graphstore keeps degrees, labels, members and counters right by itself (Store.Check verifies them), removes what no edge
// leads to any more, and creates what a link names before it has come. It does not know what vectors, evidence, lists and
// messages mean, nor how anything is encoded, ranked or published: all of these are bytes and numbers of the caller's.
//
// Where to look: keys.go lists the kinds of rows. codec.go has what all rows are encoded with, and the file of each kind
// (nodes.go, edges.go, documents.go, lists.go, media.go, terms.go, outbox.go, ...) its format and its reads; merge.go lays
// the overlay over a scan of them. commit.go and redo.go make a Tx of any size durable at once, snapshot.go shows it to
// readers at once, and openbadger.go opens what a crash left.
package graphstore
