// Package publish delivers the outbox to Kafka: every message once, in order for
// each key, across crashes of this process and of the brokers.
//
// Publisher is what does so, with the settings of Config. Look tells in a Found, at a start, what the topics hold. Store is the outbox as Publisher needs it: it gives each Entry
// with its sequence number, and keeps a Position for each output partition. Published describes a message that has
// left the outbox. In come the entries, each a rerank.OutMessage in its stored form; out go Kafka messages (CloudEvents,
// tombstones, dead letters), lists of themes, cells of maps of cultures and lists of standing queries in topics of their own. The package must not know how a list came to be, nor that the outbox is in badger.
//
// # The way of a message
//
// The pipeline writes messages to the outbox in the commit that caused them. Publisher
// takes them from there in order, spreads them over the topic's partitions by key as Java's
// default partitioner does (murmur2), sends each partition's share with acks=all, one
// request in flight a partition, and when all are acknowledged removes them from the
// outbox, storing in the same transaction how far each partition was written. Every
// message says in its headers who wrote it (kilim_writer: the state, see writer.go) and its sequence number in the
// outbox (kilim_seq).
//
// # A store that is older than its topics
//
// All that follows takes it that a number is given to one message only. A state folder that is put back to a copy gives numbers again.
// So Look reads the topics before a start gives any, and tells in a Found of messages that the store does not know; who uses
// the package then makes the store another writer (NewWriter) and publishes its lists again. Once new numbers are given, nothing tells
// the two apart; a Publisher that meets a number not given yet, or another writer of its state, ends with ErrCopied: then
// two processes have copies of one folder, and the next start of this one becomes another writer.
//
// The topics of themes come and go: each is made by Config.Ensure before it is written to, and one that was deleted while there was nothing
// to say in it is made again with the next message. Look finds those that are there by their names, for a store that was put back may not know
// of them.
//
// A topic of lists that ends before the stored position, or gives a message an offset below, has lost what was published: it was deleted
// and made anew, say. Look and Publisher tell that too (Found.Lost, Config.Republish), and Look when another topic of lists is
// configured than the one that was published to. A topic that was made anew and
// has grown beyond the position by others' messages, before this package looked, is taken for the old one.
//
// # At least once, and why not twice
//
// Nothing leaves the outbox before all in-sync replicas have it, so nothing is lost. Twice can come
// from a message that is in Kafka while the outbox still has it: after a crash between
// the two, or after a request without an answer. So at the start and after every failure the
// publisher reconciles: it reads each partition from the stored position to the end
// for messages of its own and does not send these again. In compacted topics
// a message may be gone already; then a later one of the same key is there, and as the
// messages of a key are sent in order, one is taken to be delivered when a later
// one of its key is.
//
// A request without an answer may be carried out after reconciliation has looked. Two things
// take care of that:
//
//   - Within one process, batches are numbered as those of an idempotent producer (KIP-98):
//     after an unanswered request the same records are sent under the same producer id
//     and sequence, and the broker takes only one of the two, whichever comes
//     first. A broker that no longer knows the sequence (it was restarted without its
//     producer state, as the embedded one after SIGKILL) can't have the old request in
//     its queues either, and what it had stored is seen by reconciliation. Every
//     reconnection closes the old connections first.
//   - At the start of a process, the predecessor's last requests may still be on their way.
//     If the outbox is not empty, reconciliation waits until the ends of the
//     partitions have not moved for Config.Settle.
//
// What remains, exactly: a process dies with a request sent; its successor starts and
// sees the ends at rest for Config.Settle; and then the broker carries the old request
// out (it was stalled for that long, or the records wait for their replicas
// below the high watermark). Then these messages are twice in the topic, with equal ce_id. If the old
// request is carried out before the successor's own, the order of each key is as it
// would be without; if after, a key's older message stays last until its next
// update. Where a cluster denies producer ids (no right to write idempotently), the same holds for
// unanswered requests within one process, which then also wait for Config.Settle.
//
// What others write into the topics is read too, and costs no more than one answer of the broker's, one record and one codec's window
// (package logread), whatever it unpacks to. What can't be unpacked is passed over with a warning.
//
// Adding partitions to an output topic moves keys: messages that are not delivered yet stay
// exactly-once, for what is there is recognized by key and number in whatever partition,
// but the order between a key's messages before and after is the reader's
// concern, as with any Kafka producer.
//
// # Transactions, and who may write
//
// All of the above takes it that one process publishes. One that was stopped, or cut off from the brokers, for so long that another took its
// place does not know that, and its messages would follow those of its successor. With Config.TransactionalID Kafka keeps it
// out: each batch of the outbox is one transaction (transaction.go), and a process that begins to publish under the id has the
// coordinator give it the next epoch. From then on the brokers refuse what the one before sends, abort what it has begun, and Run there ends with
// ErrFenced (TestFenced, TestCutOffInATransaction, and on Apache Kafka TestKafkaFenced, TestKafkaCutOffInATransaction). A process takes the id once. After a failure it goes on only as who it was, which the
// coordinator checks (KIP-360): so one that comes back does not fence its successor.
//
// After a failure the open transaction is aborted, and reconcile reads what is committed: there is no late request to wait for, so
// Config.Settle is not needed, and what remains above, a message that a stalled broker carries out too late, can't be, but of a process that had no transactions. After the death of a process in
// the midst of a transaction, Look waits until that is aborted, 30 s and what the coordinator takes to notice (10 s).
//
// Why not always: only readers with isolation.level=read_committed have each message once. Others, and that is what Java's and franz-go's
// consumers are by default, also see what was aborted and sent again. And each batch takes five requests in the place of one a partition: one to add its partitions, one to end it, and
// for each of these one to find the coordinator. Of 20,000 messages that is 100 requests in the place of 20, and no difference in their rate; a message at a time, at a
// trickle, takes two to four times as long. A broker verifies one partition of a transaction at a time, so partitions are sent to in turn.
// The embedded broker ends with the daemon that it is part of, so nobody can take its place; it is not written to in transactions, which its compaction does not read.
//
// # Who stands by
//
// With Topics.Owner the owner of the transactional id says in a topic that it is there (Beat), and up to where the records are applied whose effects it publishes. Another process reads what the topics
// hold (Holdings), and takes the id when the owner is gone (Publisher.Take, Clear, Hold; takeover.go). When it takes it is for
// package daemon/follow to say. What it then publishes is compared, artifact by artifact, with what the topics hold (TestTakeOver).
//
// The requests are kafka-go's Client's, as all of this package: its Writer has no transactions, and franz-go's producer, which has, numbers, repeats and
// gives up batches by itself, so that what became of one, and its halves where it is too large, is not for this package to say.
//
// # Messages that can't be sent
//
// A batch that the broker finds too large is sent in halves. A single dead letter that is
// too large is sent without its value, a single update that is too large without its changes and its cause, then with the
// better half of each list, and so on; the header HeaderDropped says how much is missing, so that neither
// holds up the outbox for ever. The topics that kilim makes take the largest update that there can be whole: 12 MiB, with
// lists of 200 ids that are 1,024 characters of which JSON makes six each (with lists of 10 it is 0.7 MiB). What is no larger
// than LeastTopicBytes is not shortened: the topic's max.message.bytes is below that, and the message is retried and logged
// until the topic is configured better.
//
// asyncapi.yaml describes the topics; a test validates rendered messages against it.
package publish
