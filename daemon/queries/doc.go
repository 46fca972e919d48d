// Package queries keeps standing queries: records that are in no archive, whose lists are told as those of an artifact would be, each time that they change.
//
//   - Query is one: a name, and the record that is asked about. Parse reads and checks it, Artifact is the record read.
//   - Log is the topic of the queries, which is the truth of which there are, as that of judgments is: each start reads it from its beginning, so
//     they outlive a lost state folder. Add and Remove write it.
//   - Keeper asks them again and tells what is another answer than was told: from an Archive, to a Store. Told is what it told last.
//   - Checker tells what is wrong with rows.
//
// In come the topic's records and the Archive's answers. Out go rows and messages, in one commit of the Store. The package must not know how lists are made, HTTP, or
// how messages get to Kafka. A query has no node: it is in nobody's list, counts for no frequency, and is nobody's holder.
//
// # When a query is asked again
//
// Beside the records, in rounds: one begins when anything that answers depend on has changed (Archive.Version), no sooner than Config.Linger after the one before, and
// each again after Again, whatever has changed. So after any change (a newcomer, a deletion, a neighbour that moves the query's own embedding, another model, another ranker) the answer
// is asked for anew, whole, by the search that answers anybody else: what is told is what an ask is answered with, to within Config.Tolerance of a score (TestHistories).
//
// While records come, asking takes a twentieth of one processor at most, and a quarter while none do: with few queries a change is told within a linger, with
// MostQueries of them in as long as MostQueries answers take, twenty times. All that changed meanwhile is told in one update.
//
// The design that was considered first, to compare each newcomer with each query and to ask only those that it may enter, is not here: it would make a newcomer
// quicker to tell among many queries, but a query's own embedding moves with its neighbours, so each is to be asked again all the same.
//
// # What is durable
//
// The row is what was told, and is written in the commit that has the message in the outbox: each change is told once, whenever the process is killed. What a
// crash leaves untold the next round finds, for it compares with the row; only its cause is not known then. A cutover takes the rows along with the outbox.
//
// # Bounds
//
// MostQueries of at most mostBytes together, each of at most MostRecord bytes and mostEdges terms, media and links; what is more is refused, and nothing that was there goes. One that can't
// be asked, as an encoder of its pictures is away, is tried again after retryAfter, holds back no other, and says why (Keeper.Status). Of changed artifacts mostNoted are
// remembered as what may have been the cause.
package queries
