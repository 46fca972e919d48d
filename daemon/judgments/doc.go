// Package judgments keeps what people say of how alike two artifacts are: a compacted topic is the truth, and this its copy in memory.
//
// The types: a Judgment says of two artifacts, by grade, how alike they are, in a theme or in general, and by whom. A Log is the topic: Run
// follows it, Write and Undo write it and return when what they wrote has been read back, List gives what holds now, Changes tells whether it is another than before and all of it. Export reads a
// topic once, for commands.
//
// The key of a record names the pair and the theme (Judgment.Key): who judges the same again replaces what was said, and a tombstone takes it
// back, whoever said it. The daemon stores nothing of it: each start reads the topic from its beginning, which compaction keeps as short as what
// holds (package compacted, which this one gives its meaning).
//
// A record that can't be used is passed over, with field and value in the log and counted in kilim_judgments_refused_total: it is no record of
// an archive, and so no dead letter. What Parse refuses is never written by Write.
//
// What the package must not know: who learns from judgments, and how they came to the daemon.
//
// # Memory
//
// mostJudgments of at most mostBytes together are kept; beyond that new pairs are refused, and counted as such.
package judgments
