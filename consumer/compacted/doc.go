// Package compacted keeps what a compacted topic says now in memory: for what people have said, of which the topic is the truth and nothing is stored
// anywhere else.
//
// The types: a Log is the topic. Run follows it from its beginning, Write writes it and returns when what was written has been read back, Send writes it
// without waiting for that, Read reads it once, for commands; Complete tells whether what was read is all that the topic says. A Set is what is made of its records, by whoever knows what they mean.
//
// Each start reads the topic from its beginning, which compaction keeps as short as what holds. A record that a Set refuses is passed over, named in the log of the
// process and counted: it holds back no other. When a partition's log is another one than before, what was read of it is forgotten.
//
// Records are unpacked one at a time (package logread), so that a hostile one takes no more than a page.
//
// What the package must not know: what the records say.
package compacted
