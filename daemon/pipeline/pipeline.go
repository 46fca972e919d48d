package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2"

	"kilim/annindex/hnsw"
	"kilim/annindex/maintain"
	"kilim/annindex/recall"
	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/rerank"
)

// Config is what the chain can be told. The zero value is not usable.
type Config struct {
	// DeadLetters is the topic for records that can't be used.
	DeadLetters string
	// Engine is the index engine, see annindex.New; Graph are its parameters if it is hnsw.
	Engine string
	Graph  hnsw.Config
	// Recall is how the index is watched.
	Recall recall.Config
	// Snapshot is the file that keeps the index from one start to the next; empty: none does.
	Snapshot string
	Text     text.Config
	Model    infer.Config
	// Weights are those of the Model, as in infer.New; nil: those of its seed.
	Weights  []float32
	Encoders Encoders
	// Epoch numbers the model, from 1. What is answered and published carries it.
	Epoch uint32
	// Standby is true for a state that is made beside the one that serves, see Engine.CopyFrom.
	Standby bool

	// Epsilon is the RMS change of a node's vector below which its dependants are not told.
	Epsilon float32
	// Budget bounds the artifacts re-embedded with a batch beyond those it changes: one a record, at most Budget.
	Budget int
	// Sweep is how far the archive may change, in archives, before features and
	// lists made earlier are computed again in the background.
	Sweep float64
	// Tolerance is the change of a score below which a list is not published again.
	Tolerance float32
	// ListSize is the length of each list.
	ListSize int
	// Candidates is the number of nearest artifacts that stage 2 looks at, and
	// the most that shared rare entities may add.
	Candidates int
	// RareMembers is the most artifacts that share a rare entity.
	RareMembers int
	// MaxOutbox is the number of unpublished messages at which units wait for the publisher.
	MaxOutbox int
	// CachedArtifacts bounds the evidence and the lists kept decoded in memory.
	CachedArtifacts int
	// Limits are those of records, for parsing stored ones again.
	Limits profile.Limits
}

// Engine is the chain over one store. Apply, Background and the queries may be
// called concurrently.
type Engine struct {
	cfg      Config
	log      *slog.Logger
	store    *graphstore.Store
	index    *maintain.Index
	encoder  *text.Encoder
	model    *infer.Model
	scorer   *rerank.Scorer
	metrics  *Metrics
	encoding encoding

	// unitLock is held by the one unit at work; it guards what follows.
	unitLock  sync.Mutex
	refresher *refresh.Refresher
	clock     clock
	encoded   staleQueue
	ranked    staleQueue
	paces     struct{ encode, push, rank, publish, media pace }
	prepared  prepared
	auditor   auditor
	failed    error
	// backfilling is true for a standby until EndBackfill: no lists are computed.
	backfilling bool
	// unpublished are the artifacts whose lists were made in a standby and are not yet published.
	unpublished staleQueue
	republished chan struct{} // closed when there are none, but not by a standby
	// unlisted are the artifacts of a standby of which no list was ever computed.
	unlisted map[graphstore.NodeID]struct{}
	// backfilledAt is the encode clock at a standby's EndBackfill, or when it was opened since. ranksNext: its lists have the turn, not its pushes.
	backfilledAt float64
	ranksNext    bool
	retired      chan struct{} // closed when another state was cut over to
	// previous holds the lists that were published before those; nil when nothing needs them.
	previous *graphstore.Store
	// origin is the store that a standby copies from, once that is known.
	origin atomic.Pointer[graphstore.Store]
	// follow is told which artifacts a batch changed.
	follow func(ids []string)
	// evidence and rows are the last decoded; they are derived from the store.
	evidence *lru.Cache[graphstore.NodeID, *rerank.Evidence]
	rows     *lru.Cache[graphstore.NodeID, *row]

	// table is read by queries while units write it.
	tableLock sync.RWMutex
	table     *text.Table

	// standby: lists are kept and not published. It changes under the unit lock.
	standby atomic.Bool
	// waiting counts batches of records that wait for the unit lock.
	waiting atomic.Int32
	// lastBatch is when the last batch was applied, in Unix nanoseconds.
	lastBatch atomic.Int64
	// wake is signalled when there may be background work.
	wake chan struct{}
	// drained is signalled when messages left the outbox.
	drained chan struct{}
	// committed is called after each commit: there may be messages to publish.
	committed func()
	// queue is the length of the refresh queue, drift the clock (as bits of a
	// float64) and revision the number of the unit, as of the last one.
	queue atomic.Int64
	// records counts those whose effects are durable, since the start.
	records  struct{ consumed, refused atomic.Int64 }
	drift    atomic.Uint64
	revision atomic.Uint64
}

// Open prepares the chain over a store: it loads document frequencies, builds the index from the
// stored embeddings, and finds the work that was left over.
func Open(cfg Config, store *graphstore.Store, metrics *Metrics, committed func(), log *slog.Logger) (*Engine, error) {
	e := &Engine{cfg: cfg, log: log, store: store, metrics: metrics, committed: committed, prepared: newPrepared(cfg.Sweep), auditor: newAuditor(),
		encoding: newEncoding(cfg.Encoders.kinds()),
		wake:     make(chan struct{}, 1), drained: make(chan struct{}, 1), republished: make(chan struct{}),
		unlisted: map[graphstore.NodeID]struct{}{}, retired: make(chan struct{})}
	e.standby.Store(cfg.Standby)
	var err error
	if e.encoder, err = text.NewEncoder(cfg.Text); err != nil {
		return nil, err
	}
	if cfg.Weights == nil {
		e.model, err = infer.Seeded(cfg.Model)
	} else {
		e.model, err = infer.New(cfg.Model, cfg.Weights)
	}
	if err != nil {
		return nil, err
	}
	if e.scorer, err = rerank.NewScorer(rerank.DefaultScoreWeights()); err != nil {
		return nil, err
	}
	if e.index, err = maintain.New(maintain.Config{Make: e.newIndex, Watch: cfg.Recall, Log: log}); err != nil {
		return nil, err
	}
	if e.evidence, err = lru.New[graphstore.NodeID, *rerank.Evidence](cfg.CachedArtifacts); err != nil {
		return nil, fmt.Errorf("pipeline: cached artifacts %d: %w", cfg.CachedArtifacts, err)
	}
	if e.rows, err = lru.New[graphstore.NodeID, *row](cfg.CachedArtifacts); err != nil {
		return nil, fmt.Errorf("pipeline: cached artifacts %d: %w", cfg.CachedArtifacts, err)
	}
	e.table = text.NewTable()
	if err := e.adopt(); err != nil {
		return nil, err
	}
	e.restoreIndex()
	if err := store.View(e.load); err != nil {
		return nil, fmt.Errorf("pipeline: load state: %w", err)
	}
	e.report()
	e.signal()
	return e, nil
}

// identity names everything that stored vectors depend on.
func (e *Engine) identity() string {
	id := fmt.Sprintf("text %s; model %s", e.encoder.Identity(), e.model.Fingerprint())
	for _, kind := range e.cfg.Encoders.kinds() {
		id += fmt.Sprintf("; %s by %s", kind, e.target(kind))
	}
	return id
}

// ErrIdentity is wrapped when a state was made by other encoders, or by another model.
var ErrIdentity = errors.New("pipeline: the state was made")

const (
	identityKey = "chain/identity"
	epochKey    = "chain/epoch"
)

// adopt writes the identity of encoder and model and the model's epoch into a new state, and
// refuses a state made with others: vectors of two models must not be mixed.
func (e *Engine) adopt() error {
	if e.cfg.Epoch == 0 {
		return errors.New("pipeline: epoch 0: want 1 or more")
	}
	var have []byte
	var epoch uint32
	err := e.store.View(func(r *graphstore.Reader) (err error) {
		if have, err = r.Meta(identityKey); err != nil {
			return err
		}
		epoch, err = epochOf(r)
		return err
	})
	if err != nil {
		return fmt.Errorf("pipeline: read identity: %w", err)
	}
	want := e.identity()
	switch {
	case have == nil:
	case string(have) != want:
		return fmt.Errorf("%w with %q and this program is configured for %q: use the earlier settings or an empty data folder", ErrIdentity, have, want)
	case epoch != e.cfg.Epoch:
		return fmt.Errorf("pipeline: the state is of model epoch %d, epoch %d was asked for", epoch, e.cfg.Epoch)
	default:
		return nil
	}
	tx := e.store.Begin()
	defer tx.Discard()
	if err := tx.PutMeta(identityKey, []byte(want)); err != nil {
		return err
	}
	if err := tx.PutMeta(epochKey, strconv.AppendUint(nil, uint64(e.cfg.Epoch), 10)); err != nil {
		return err
	}
	if err := e.adoptEncoders(tx); err != nil {
		return err
	}
	if e.cfg.Standby {
		if err := tx.PutMeta(backfillKey, []byte{1}); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// epochOf is the epoch of the model that a state was made with. States older than
// epochs don't say it: theirs is 1.
func epochOf(r *graphstore.Reader) (uint32, error) {
	b, err := r.Meta(epochKey)
	if err != nil || b == nil {
		return 1, err
	}
	n, err := strconv.ParseUint(string(b), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("epoch %q: %w", b, err)
	}
	return uint32(n), nil
}

func (e *Engine) load(r *graphstore.Reader) error {
	b, err := r.Meta(clockKey)
	if err != nil {
		return err
	}
	if err := e.clock.unmarshal(b); err != nil {
		return err
	}
	var bad error
	err = r.TermTable(func(bucket uint32, df int32) {
		if err := e.table.Load(bucket, df); err != nil && bad == nil {
			bad = err
		}
	})
	if err := errors.Join(err, bad); err != nil {
		return err
	}
	e.table.SetDocs(e.store.Counts().Artifacts)
	backfilling, err := r.Meta(backfillKey)
	if err != nil {
		return err
	}
	if e.backfilling = backfilling != nil; e.backfilling && !e.standby.Load() {
		return errors.New("the state is a standby that was never completed")
	}
	pushes, err := r.Pushes()
	if err != nil {
		return err
	}
	rc := refresh.Config{Epsilon: e.cfg.Epsilon}
	if e.refresher, err = refresh.New(rc, e.model, labeler{e.encoder}, pushes); err != nil {
		return err
	}
	if err := e.fillIndex(r); err != nil {
		return err
	}
	var encoded, ranked, unpublished []stamped
	err = r.EachNode(func(n *graphstore.Node) bool {
		if !n.IsArtifact() {
			return true
		}
		encoded = append(encoded, stamped{id: n.ID, at: n.EncodedAt})
		var b []byte
		if b, bad = r.Lists(n.ID); bad != nil {
			return false
		}
		row, err := unmarshalRow(b)
		if err != nil {
			bad = fmt.Errorf("artifact %q: %w", n.Key, err)
			return false
		}
		if n.Drift > float64(e.cfg.Tolerance) {
			row.rankedAt = never
		}
		ranked = append(ranked, stamped{id: n.ID, at: row.rankedAt})
		if row.revision == 0 {
			unpublished = append(unpublished, stamped{id: n.ID, at: never})
			if row.rankedAt == never && len(row.lists.General) == 0 {
				e.unlisted[n.ID] = struct{}{}
			}
		}
		return true
	})
	if err := errors.Join(err, bad); err != nil {
		return err
	}
	e.encoded.load(encoded)
	e.ranked.load(ranked)
	e.unpublished.load(unpublished)
	e.backfilledAt = e.clock.encode
	return e.loadMedia(r)
}

// pending is the number of things the background has to do: pushes on their way,
// artifacts whose features or lists are stale, and lists that a standby left to be published.
func (e *Engine) pending() int {
	unpublished := 0
	if !e.standby.Load() {
		unpublished = e.unpublished.len()
	}
	return unpublished + e.refresher.Pending() +
		e.encoded.count(e.clock.encode, e.cfg.Sweep) +
		e.ranked.count(e.clock.rank, e.cfg.Sweep)
}

// report shows the outside where the unit at work has arrived.
func (e *Engine) report() {
	e.queue.Store(int64(e.pending()))
	e.drift.Store(math.Float64bits(e.clock.encode))
	e.revision.Store(e.clock.revision)
	if !e.standby.Load() && e.unpublished.len() == 0 {
		select {
		case <-e.republished:
		default:
			close(e.republished)
		}
	}
}

func (e *Engine) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// StoredOffset is where the consumer goes on in a partition.
func (e *Engine) StoredOffset(topic string, partition int) (next int64, ok bool, err error) {
	err = e.store.View(func(r *graphstore.Reader) error {
		next, ok, err = r.Offset(topic, partition)
		return err
	})
	return next, ok, err
}

// Published tells the engine that messages left the outbox.
func (e *Engine) Published() {
	select {
	case e.drained <- struct{}{}:
	default:
	}
}

// waitForOutbox holds a unit back while the disk has no room for it, or the publisher is behind. Nobody publishes what is in a standby's outbox, left
// there by a cutover that was not decided.
func (e *Engine) waitForOutbox(ctx context.Context) error {
	if err := e.store.WaitRoom(ctx); err != nil {
		return err
	}
	for !e.standby.Load() {
		depth, _ := e.store.OutboxDepth()
		if depth <= e.cfg.MaxOutbox {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("pipeline: %d messages wait in the outbox: %w", depth, ctx.Err())
		case <-e.drained:
		}
	}
	return nil
}
