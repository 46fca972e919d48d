// Command poison feeds the daemon with what should stop it, and shows that nothing does: it is what `make poison` runs.
//
// Package hostile makes a seeded feed of good records among extreme ones. They go into the topic in batches of random sizes and of
// every codec, to a `kilim serve` with its own broker or with a real Kafka (-kafka). Then it must be so:
//
//	alive      the process that was started has taken all of it, by the end without a restart
//	accounted  each record is applied (its artifact is served as it came, a deleted one is not, if no later record is of the same
//	           id) or in the dead letters, once, by topic, partition and offset, as it was sent, with a reason
//	good       each good record is applied, and lists are served for good artifacts
//	door       what is refused is refused by a check that knows the fault: a record that the barrier had to catch, because its
//	           unit of work failed or panicked (unprocessable, panic), is a finding too
//	memory     the peak of the resident memory, of all the process did, is below the bound that ../README.md states
//	check      `kilim check` finds nothing, and a daemon started anew is ready and serves the same
//
// When the process ends all the same, it is started again as often as the daemon needs to find the record by itself, and
// what it then refuses is told.
//
// With -worst the feed is another: batches of the records that take the most memory within all limits, see package hostile.
//
// The last line of its output is JSON. The exit code is 1 when anything was found, each finding with its record and the seed,
// and 2 when it could not be told. On either the folder is kept.
package main
