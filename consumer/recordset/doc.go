// Package recordset reads the record batches that a broker answers a fetch with, and unpacks them while they are read.
//
// What comes in are the bytes of a partition in the answer, as they were sent. Batches gives each Batch with what its head
// says: its offsets (the last one also where compaction has emptied it), its producer, whether it is part of a transaction.
// Batch.Records gives its records one after another. The package must not know what a record says, what a transaction's
// end means for it, or how the bytes came.
//
// # Memory
//
// Some kilobytes can say that they are gigabytes, and a broker's limits count what is packed. So no batch is unpacked as a
// whole: Batch.Records holds one record and the codec's window (WindowBytes at most), whatever the batch unpacks to. Of a record's key,
// of its value and of its headers together no more than PartBytes each are kept; what is larger is read past, and
// Record.Dropped says how much that was.
//
// The exception are message sets of before Kafka 0.11 (versions 0 and 1), which kafka-go unpacks whole; brokers since
// Kafka 4 have none, and those since 3 make none. Damage in one of these is a Fault too.
//
// # What can't be read
//
// A batch whose checksum is wrong is an error of Batches: it was damaged on its way or on a disk, and another try may help.
// A batch whose sum is right and that can't be unpacked was sent so. Its records up to there are given, then one
// Record with a Fault, at the first offset that could not be read: a reader goes on behind that batch.
//
// # Why not kafka-go's or franz-go's decoders
//
// Both unpack a batch whole before they give its first record; franz-go can be told a limit, beyond which it gives none of the
// batch. kafka-go hides where a batch ends, so that each offset of an emptied one had to be asked for.
package recordset
