// Package graphstore keeps the graph, and everything else that must outlive the process, in one badger folder.
//
// Its types:
//
//   - Store is an open folder. One process has it open at a time.
//   - Tx, from Store.Begin, is one batch of changes: all of it is durable after Commit, or none. There is one at a time. It
//     reads its own writes, which lie in an overlay over the committed rows until Commit.
//   - Reader, from Store.View, reads one committed state and never waits for the Tx. A Tx is a Reader too.
//   - Node, Edge, Doc and Media are what is in the graph: artifacts, their media, the entities that they share, the contents of
//     their media (Held), and the edges between them, each stored from both ends. Change says what a Tx.PutArtifact or Tx.DeleteArtifact did to it.
//   - OutboxEntry is a message to Kafka, committed with the changes that it tells of. Store.Ack removes it once Kafka has it.
//     Reader.Writer names who numbers them, Tx.ResetOutbox begins anew as another, Tx.ForgetPositions drops topics.
//
// In come artifacts with the edges that they ask for, vectors, lists, term counts, consumer offsets and messages. Out come
// the same, by id or in the order of ids, and the outbox. One Tx holds all that follows from one batch of records, the
// consumer offsets and messages included: so a crash neither loses a record nor counts one twice.
//
// Graphstore keeps degrees, labels, members and counters right by itself (Store.Check verifies them), removes what no edge
// leads to any more, and creates what a link names before it has come. It does not know what vectors, evidence, lists and
// messages mean, nor how anything is encoded, ranked or published: all of these are bytes and numbers of the caller's.
//
// What it guarantees of what goes wrong, beside that a Commit is whole or not there:
//
//   - Damage. A row that is not as it was written is never returned: each ends with a checksum of its key and value, which is
//     verified at each read. Open compares all tables with their checksums and refuses a folder with a damaged one (ErrTable):
//     a key or an offset may be what is damaged, and rows that can't be found would be taken for absent. That costs some 0.6 s
//     of a processor for a GiB of tables. Damage to a key or an offset of a table that is open is found by the next Open, or by
//     Check. A damaged value in the value log takes none of those behind it with it.
//     Of a document that is damaged, Reader.Artifact and Reader.Evidence return an ErrDamaged that names the artifact: a
//     caller goes on with the other artifacts, and the next PutArtifact or DeleteArtifact of this one needs nothing of the
//     damaged rows. A damaged row of any other kind is an error without a type: what follows from it can't be bounded,
//     and the reader stops.
//   - A full disk. While less than Store.Margin is free, Store.Room returns an ErrNoSpace that names the folder, what is
//     free and what must be; who writes asks before a unit of work, or waits (Store.WaitRoom), and asks for two margins when
//     another store on the disk goes before. Commit refuses below half of the margin, Ack below a quarter, Open below half:
//     none of them changes anything then, the store has not failed, reads go on, and writes do once there is room. It is a margin, not a reservation: another program may take the last of it
//     between two looks, and badger, which writes through mapped files, is then ended by the kernel. What was committed
//     stays in this case too.
//   - Sizes. A value of more than Store.MaxRow bytes, or a name of more than 60,000, is refused with an ErrTooLarge by the method
//     that it is given to, before that changes anything; a node that Edit has made too large, by Commit. The store has
//     not failed.
//   - Collisions. Two keys with one NodeID are never mixed up: PutArtifact refuses the second with an ErrCollision before it
//     changes anything, and Tx.CheckKeys tells beforehand that it would.
//   - Growth. The row of a node has its 64 most used labels; a commit writes rows of its own for those of the others that it
//     counts. What replaced and deleted values take of the value log is freed by Store.Maintain, which says how far.
//
// Where to look: keys.go lists the kinds of rows. codec.go has what all rows are encoded with, seal.go their checksums, and the
// file of each kind (nodes.go, edges.go, documents.go, lists.go, media.go, terms.go, outbox.go, ...) its format and its reads;
// merge.go lays the overlay over a scan of them. commit.go and redo.go make a Tx of any size durable at once, snapshot.go shows
// it to readers at once, and openbadger.go opens what a crash left.
package graphstore
