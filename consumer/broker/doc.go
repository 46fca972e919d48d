// Package broker is the Kafka broker that kilim brings along, for the first look,
// for tests, and for archives of one machine: a single kfake node (from franz-go)
// on a loopback address, with its log in a folder. Clients reach it as they reach
// any Kafka; nothing but the code that starts it knows that it is not one. Start takes an
// address and a folder and returns the running Broker; what is in the records, it must not
// know.
//
// # Guarantee
//
// A record whose production was acknowledged, and an offset whose commit was
// acknowledged, is in the folder, synced, before the acknowledgement leaves. After
// a SIGKILL at any moment the next Start finds all of them, once and in order. What
// was on its way but not acknowledged may be there or not, as with any broker.
// The exceptions: kfake does not look at what fsync returns, so a disk that reports an
// error there and nowhere else goes unnoticed; and the sequence numbers of idempotent
// producers and open transactions are only saved by Close, so a producer of that kind
// which lives on over a SIGKILL of the broker may repeat a batch. (kilim's own
// writers are neither; they reconcile.)
//
// kfake's crash recovery as found in the pinned version, and what Start does about it:
//
//   - The end of a segment that a crash left torn is cut off at the first batch
//     whose CRC is wrong. Good as it is.
//   - The torn end of groups.log and pids.log is skipped when read, but not cut off, and
//     new entries are appended behind it, where the next start can't see them: offsets
//     acknowledged after the first crash would be lost by the second. Start cuts it
//     off before kfake sees the file.
//   - The compaction of a topic (cleanup.policy=compact) deletes the segments and then
//     writes the remaining records anew: a crash between loses the topic. The same
//     cleaner applies retention, and a partition that retention emptied starts
//     again at offset 0 after a crash. So the cleaner never runs while the broker does,
//     and Start compacts by itself, before kfake opens the log: segment by segment,
//     each one replaced by a rename.
//
// # Limits
//
// Records are read from disk; memory holds some 100 bytes a batch. But Start reads
// every log, and after a SIGKILL it holds all of them in memory for that moment. The
// disk only shrinks when Start compacts a compacted topic, whose newest two segments
// (of 32 MiB) a partition stay as they are; other topics keep everything, for ever, as
// nothing is deleted by age. With more than a few gigabytes of log, or more than
// one machine, it is time for a real Kafka (the daemon's broker setting).
//
// All requests are served by one goroutine, with two fsyncs a produced batch. So the
// rate is that of the disk's fsync times the records in a batch: producers should send
// hundreds of records at once, and more producers or partitions make it no faster.
//
// There is no authentication and no encryption, hence loopback only.
package broker
