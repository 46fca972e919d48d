package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/rerank"
)

// Config is what a Publisher works with. Zero values are replaced by the defaults named.
type Config struct {
	// Addr is where the cluster is, and Transport how it is reached. The transport should be the
	// publisher's own: its idle connections are closed after a failure.
	Addr      net.Addr
	Transport *kafka.Transport
	Store     Store
	// Topics are where lists and dead letters go.
	Topics Topics
	// Source is the ce_source of lists. Default: /kilim/<writer of the store>.
	Source string
	// TransactionalID, if set, has each batch of the outbox be one transaction under this id, of which Kafka has one owner: who begins to
	// publish under it fences who did before (ErrFenced). See the package comment for what that changes.
	TransactionalID string
	// Reached, wanted with Topics.Owner, returns the offsets of the state.
	Reached func() ([]Reached, error)
	// Tolerance is the change of a score that is not worth publishing, see Holdings.
	Tolerance float32
	// Batch is the most messages sent between two acknowledgements. Default 1000.
	Batch int
	// MaxBatchBytes is about the most that one request carries, before compression; a single larger
	// message goes alone. Default 900 KiB, below a broker's usual 1 MiB.
	MaxBatchBytes int
	// Compression is none, gzip, snappy, lz4 or zstd. Default snappy.
	Compression string
	// Timeout bounds one request. Default 10 s.
	Timeout time.Duration
	// Grace is how long requests may go on once Run's context has ended, so that a clean
	// stop leaves nothing to reconcile. Default 2 s.
	Grace time.Duration
	// Settle is how long the ends of partitions must be at rest where another's
	// requests may be on their way; see the package comment. Default 500 ms.
	Settle time.Duration
	// MinBackoff and MaxBackoff bound the pause after a failure, which doubles from
	// one to the next, with jitter. Defaults 100 ms and 10 s.
	MinBackoff, MaxBackoff time.Duration
	// OnPublished is called, if set, with messages that have left the outbox, in their
	// order, each once. A message that a crash left without a call gets none, or one
	// from the next process.
	OnPublished func([]Published)
	// Republish, if set, is called when the topic of lists has lost what was published, see Found.Lost. Nothing is sent
	// until it returns. An error ends Run.
	Republish func(*Found) error
	// Ensure, if set, makes the topic of a theme if it is not there. It was when the first message was put into the outbox; one that somebody
	// has deleted since would hold up all others.
	Ensure func(ctx context.Context, topic string) error
	// Observe, if set, is told how long each delivery of a batch took, as stage "publish".
	Observe func(stage string, d time.Duration)
	Metrics *Metrics     // default: counted nowhere
	Log     *slog.Logger // default: silent
}

// Published describes a message that has left the outbox.
type Published struct {
	Seq   uint64
	Topic string
	Kind  rerank.Kind
	// ID, Revision and Recorded are those of lists and tombstones, of themes too; of a cell ID is the key, of a standing query its name.
	ID       string
	Revision uint64
	Recorded time.Time
	// Own is true for the update of an artifact whose own record caused it: the answer that
	// a newcomer's sender waits for.
	Own bool
	// Update is that of lists, of standing queries too, nil for what else there is. It must not be changed.
	Update *rerank.Update
}

// complete returns the configuration with its defaults, or all faults.
func (c Config) complete() (Config, kafka.Compression, error) {
	var errs []error
	require := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New(what))
		}
	}
	require(c.Addr != nil, "address: missing")
	require(c.Transport != nil, "transport: missing")
	require(c.Store != nil, "store: missing")
	require(c.Topics.Similar != "", "topics: similar: missing")
	require(c.Topics.Cultures != "", "topics: cultures: missing")
	require(c.Topics.Queries != "", "topics: queries: missing")
	require(c.Topics.DeadLetters != "", "topics: dead letters: missing")
	if c.Topics.Owner != "" {
		require(c.TransactionalID != "", "transactional id: missing, and there is a topic of its owner")
		require(c.Reached != nil, "reached: missing, and there is a topic of the owner")
	}
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{{"batch", &c.Batch, 1000}, {"max batch bytes", &c.MaxBatchBytes, 900 << 10}} {
		require(*n.value >= 0, fmt.Sprintf("%s: %d is negative", n.name, *n.value))
		if *n.value == 0 {
			*n.value = n.def
		}
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"timeout", &c.Timeout, 10 * time.Second}, {"grace", &c.Grace, 2 * time.Second},
		{"settle", &c.Settle, 500 * time.Millisecond},
		{"min backoff", &c.MinBackoff, 100 * time.Millisecond}, {"max backoff", &c.MaxBackoff, 10 * time.Second},
	} {
		require(*d.value >= 0, fmt.Sprintf("%s: %v is negative", d.name, *d.value))
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	require(c.MinBackoff <= c.MaxBackoff, fmt.Sprintf("min backoff: %v is above max backoff %v", c.MinBackoff, c.MaxBackoff))
	if c.Compression == "" {
		c.Compression = "snappy"
	}
	var compression kafka.Compression
	if err := compression.UnmarshalText([]byte(c.Compression)); err != nil {
		errs = append(errs, fmt.Errorf("compression: %w", err))
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics(nil)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := errors.Join(errs...); err != nil {
		return Config{}, 0, fmt.Errorf("publish: %w", err)
	}
	return c, compression, nil
}
