// Command chain measures kilim's chain beside the Python pipeline in
// shared/peers/pipeline: the same feed, the same real Apache Kafka, the same
// machine, one run, each in its turn.
//
//	make bench-chain [OUT=FILE]
//	bin/kilim-bench -quick
//
// # Throughput
//
// The feed is in a fresh topic before a daemon starts. The peer's clock runs
// from its first batch to the commit of its last offset, which follows the
// delivery of the last update. Ours runs from the last look at the daemon
// before the group gave it its partitions to the first look that sees every
// newcomer's own update acknowledged by Kafka; looks are lookEvery apart, so
// ours is overstated by up to two of them and never understated. The time until
// every record is durable and the time until nothing is left to refresh are
// told apart from it.
//
// # Latency
//
// Open loop: artifact i is due at t0 + i/rate whatever became of those before.
// Latency runs from the due time, not from sending, to the receipt of the
// newcomer's own update by a consumer that is neither's part. Both start with
// the rest of the feed already applied, and ours with its refresh queue empty:
// the peer has none.
//
// # Rounds
//
// The contenders take turns and the medians over the rounds are compared: the
// machine's own speed may change by a factor between one minute and the next.
package main
