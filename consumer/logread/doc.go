// Package logread reads the log of a partition, a page at a time, and tells the log from another of the same name.
//
// Reader asks the partition's leader: Reader.Fetch gives the Page from an offset on, Reader.Identify says which Log is there now.
// In comes an address of brokers with kafka-go's transport to them; out come records in their packed batches, which
// Page.Records unpacks one by one. The package must not know what records are for, where reading has begun, or what was
// read before: that is the business of its users, the consumer and the publisher.
//
// # Memory
//
// Reader holds one answer as it was sent: MaxBytes, or one batch that is larger, which the topic's settings bound. What that unpacks
// to is not held, see package recordset.
//
// # Which log
//
// A topic that is deleted and made anew answers a fetch by name as the old one did. Log.ID is Kafka's own name of the topic, and
// a page that is asked for by it is of that topic or none. Where the leader knows such fetches (Kafka 3.1 and later) the request says
// the ID; where it knows ids alone (2.8 and 3.0, and the embedded broker) Fetch asks for the id again behind each page with batches. Brokers
// before that give no id, and all that is known of their logs is what the records say.
//
// # Why not kafka-go's Client.Fetch
//
// It unpacks an answer whole while that is received: some kilobytes from whoever may write to the topic are then gigabytes here. It knows
// no topic ids, gives no sight of aborted transactions, and hides where a batch ends. So the messages are those of package kmsg, on
// kafka-go's connections.
package logread
