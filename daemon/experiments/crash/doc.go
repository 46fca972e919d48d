// Command crash kills the daemon, again and again, and shows what is left: it is
// what `make crash` runs.
//
// It feeds a seeded mix of inserts, replacements, deletes, returns and bad records
// (from the demo archive, with its pictures) into the broker embedded in a `kilim serve`, and ends that
// process with SIGKILL at seeded random moments: some while it starts,
// the others while it works. The broker dies with it, so the feeder is cut off
// at random too; it looks at the topic's end before it sends anything again, so that each
// record is in the topic once. Now and then `kilim check` looks at the folder
// that a kill left. In many lives another of two models is asked for, so that kills meet the making of a state of
// the other model, the takeover and the way back; some lives train a model, which takes over if it is good. After some
// kills the folder is copied, or one of the last copies is put back in its place, but for the broker in it: the topics go on, and
// the state is older than what it has published. After the last kill the rest is fed, the first model is asked for, `kilim status --wait` waits
// for the end, the served answers are collected, and the process is stopped in
// order. The same records go through a daemon that is never killed.
//
// Then the topics are read by code of its own, and compared:
//
//	lost       fed artifacts (in their last form), deletes or dead letters that did not arrive,
//	           and numbers missing among the messages published
//	twice      events with the same ce_id, messages of the same number and writer, dead letters
//	           of one writer for the same record
//	differing  artifacts whose last published lists are not those served, or not those of
//	           the daemon never killed; published in a wrong order; counts that differ; the same of
//	           cells of cultures, periods and places, which are told of within a step of what is served
//	faults     found by `kilim check`
//
// The daemon runs with --index.engine flat --refresh.epsilon 0 --refresh.sweep 0 --lists.tolerance 0,
// where the end state is a pure function of the live artifacts, so equal means equal.
// kilim.similar, kilim.cultures and the topics of themes are created without compaction, so that nothing published can hide. What themes there are is learned from what was
// fed when a round began, so their lists and cells are not compared with those of the daemon never killed: what was published last must be what is served.
//
// The last line of its output is JSON, with how many promotions, trainings and restores there were; the exit code is 1 when any of the four is
// not 0, and 2 when the comparison could not be made. On either the folder is kept.
package main
