// Package consumer brings records from Kafka to a Sink: group membership,
// fetching, decoding, batching and the accounting of offsets.
//
// Consumer is one member of a group, with the settings of Config; it reaches the brokers
// over a Cluster. A Record is what Kafka delivers, an Item is what Decode makes of it: an
// artifact to put, one to delete, or a Refusal. A Batch of items with its offsets goes to
// the Sink, which the package declares and package pipeline implements. DeadLetter makes
// the message for an item that was refused. The package must not know what an artifact is
// good for: the graph, the model, the index.
//
// # Guarantee
//
// The offset from which a partition is read is the Sink's, which stores it in
// one step with the effects of the records before it; the offsets committed to
// the consumer group are for lag dashboards only. As long as the Sink keeps its
// side, each record of an assigned partition reaches exactly one successful
// Apply of it, in the partition's order, whatever crashes in between. A record
// that can't be used reaches Apply too, as an Item with a Refusal, and does not
// hold back the others. No batch holds records of two group generations.
//
// Two members of the group with different Sinks each keep the guarantee for themselves, and none of them has all:
// moving a partition's state from one to the other is not this package's business. With Config.Alone a member
// reads nothing while it has company, or lacks partitions; Consumer.Ready says why (membership.go).
// With Config.Ungrouped a member joins no group and reads all partitions, however many others do (ungrouped.go).
//
// The log of a partition is told from another of the same name (a topic deleted and made anew, another cluster) by what is stored beside
// its offset. Run ends with ErrOtherLog before a record of another log reaches Apply (logmark.go, package logread).
//
// Between two partitions there is no order: Newest says which of an artifact's records counts (precedence.go).
//
// # Flow
//
//	partition readers -> decoders -> batches -> Sink.Apply
//	(one per assigned)   (parallel)  (in order)  (one at a time)
//
// The stages overlap. Back-pressure is the natural state: readers wait for the
// budget of bytes in flight, which is given back when Apply returns. When idle
// nothing waits for more: a single record goes through at once.
//
// Memory is bounded, whatever a batch unpacks to, by Config.InFlightBytes of records (or one record that is larger), plus one response
// as it was sent for each assigned partition (Config.FetchBytes, or one batch, which the topic bounds), plus, for all partitions
// together, one record and one codec's window: package recordset unpacks while chunks are cut, and one response is unpacked at a
// time. Of a record's key, value and headers no more than 16 MiB each are kept; a record with more is refused by its
// offset, and the others of its batch are read.
//
// # Envelopes
//
// Decode opens what artifacts come in: a Schema Registry frame, a CloudEvent (binary or structured,
// also without its content type), Connect's {"schema", "payload"}, change events of Debezium
// (also of MongoDB, and as CloudEvents) and CockroachDB (wrapped, bare, enriched), and rows that are marked as
// deleted ("__deleted"). What it knows and does not open (Maxwell, Canal, GoldenGate, DMS,
// messages without a row) and what it does not know becomes a dead letter, never an artifact
// without content. Control messages of other systems (heartbeats, transactions) are dead
// letters too: passing over them would need a guess that nothing is lost by it. Only a resolved timestamp of CockroachDB's, which
// has no key and nothing else in it, is passed over, and does not reach the Sink (passedOver, change.go); like the end of a
// transaction it moves the stored offset with the next record. A trace context that is not W3C's is dropped, the record is kept.
//
// # Which client does what
//
// kafka-go's ConsumerGroup is the membership, and its Transport carries the fetches of package logread, whose form is franz-go's kmsg. The publisher
// (rerank/publish) sends by kafka-go's Client, also its transactions, which only kafka-go's Writer lacks. What kafka-go does not have is the cooperative
// rebalance (segmentio/kafka-go#985): with all partitions at one member there is nothing to hand over by parts.
//
// # Why not kafka.Reader
//
// In group mode it keeps stale messages over a rebalance
// (segmentio/kafka-go#1398); for a single partition it hides what must be known
// here: it moves silently when the offset is out of range, gives no sight of
// aborted transactions, and retries on its own clock. So a reader is a loop of
// plain fetch requests.
package consumer
