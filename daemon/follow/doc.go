// Package follow has a daemon stand by another one, and go on in its place when that is gone: with no record lost, and no list told twice.
//
// Follower is the part of a daemon that publishes, with the settings of Config. Metrics and Status tell its role. The package must not know how
// a list is computed, nor what the topics' messages look like (rerank/publish's part).
//
// # What the two do
//
// Both have a state folder of their own, read the whole input in no consumer group, and compute all lists: so both answer queries. One publishes,
// the owner. The other, the follower, reads what the owner publishes (publish.Holdings) and takes out of its outbox what is the owner's to say.
//
// The owner is who holds the newest epoch of the transactional id, and nothing else: Kafka's transaction coordinator decides that, and the brokers refuse
// what an earlier one sends. So there is never a second, however wrong a clock or a network is, and a false alarm costs a restart.
// The owner says in a topic (Topics.Owner of package publish) every publish.BeatEvery that it is there. A follower that has
// heard nothing for Config.Silence, while it could read that topic all the time, takes the id; one that reads that the owner has left does so at once.
// The owner that was fenced ends with publish.ErrFenced, and who started it starts it again: then it follows. Each start begins as a follower, so that there is one way to own.
//
// # Taking over
//
//  1. Take the transactional id: the one before is fenced, its open transaction aborted. What the topics hold now is final.
//  2. Read them to their ends, and apply at least the records whose effects may be there (publish.Beat says up to where): else what was
//     told of later records would be taken back. Dead letters of these records that are not in their topic are published.
//  3. In one commit all lists count as not published, and the state becomes another writer (standby.Manager.Republish).
//  4. Publish. The first message of each artifact is compared with what its topic holds: what says the same is not sent, and what differs tells the changes against
//     that. New records do not wait for these. Cells of maps, some hundreds, and lists of standing queries are told again, all.
//
// A crash in any of these steps leaves a state that follows at the next start, and knows the topics by reading them again.
//
// # Ways that were left
//
// A consumer group with a balancer of ours that gives all partitions to one member: its least session timeout is 6 s on most clusters (group.min.session.timeout.ms),
// its owner is not the transactional id's, so that there would be two answers to who owns, and a follower has to read what the group has not assigned to it.
// Offsets that the owner commits in its transactions, and up to which a follower applies: a follower that has applied more than the owner has less to catch up with,
// and what has been told is in the topics anyhow.
//
// # What it takes
//
// The same configuration on both, but for addresses and the folder, and nothing that is learned: with models, themes or rankers of their own the
// two would have different lists, all of which would be told again. So package config refuses it together with training, themes and rankers. A follower has the
// memory and the work of an owner, and encodes media for itself. What its encoders have not come to when it takes over is told without them, and again when they have.
package follow
