package publish

// Entry is one message that waits in the outbox, in the form of package rerank.
type Entry struct {
	Seq   uint64
	Value []byte
}

// Position is the offset in an output partition up to which the outbox is known to be delivered.
type Position struct {
	Topic     string
	Partition int
	Next      int64
}

// Store is the outbox, as the publisher uses it. An error of any method is final: Run
// returns it.
type Store interface {
	// Writer names who gives the entries their numbers: the UUID of the state, or a name made by NewWriter. It stays for as
	// long as a Publisher works.
	Writer() (string, error)
	// Next is the number that the next entry gets.
	Next() uint64
	// Outbox returns up to limit waiting entries with sequence numbers above
	// after, in their order: fewer where they are large, none only where there are no more.
	Outbox(after uint64, limit int) ([]Entry, error)
	// Ack removes the entries up to and including upto and stores the positions. It may become durable later, always
	// with all that was acknowledged before: after a crash, reconciliation finds those messages. With an upto that
	// is acknowledged already (0 is), it only stores the positions. Partitions that are not named keep theirs.
	Ack(upto uint64, positions []Position) error
	// Positions returns what Ack stored.
	Positions() ([]Position, error)
}
