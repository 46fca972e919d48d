package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/annindex/hnsw"
	"kilim/annindex/recall"
	"kilim/consumer"
	"kilim/daemon/pipeline/clock"
	"kilim/daemon/pipeline/listgraph"
	"kilim/daemon/pipeline/made"
	"kilim/daemon/pipeline/overdue"
	"kilim/daemon/pipeline/turns"
	"kilim/daemon/pipeline/vectorindex"
	"kilim/daemon/pipeline/vocabulary"
	"kilim/graphstore"
	"kilim/learner/encode"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/rerank"
	"kilim/rerank/topk"
	"kilim/rerank/topk/stale"
)

// Config is what the pipeline can be told. The zero value is not usable.
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
	Encoders encode.Encoders
	// Epoch numbers the model, from 1. What is answered and published carries it.
	Epoch uint32
	// Standby is true for a state that is made beside the one that serves, see Engine.CopyFrom.
	Standby bool
	// Replaced is given the engine that takes the place of one whose unit failed; nil: no unit may fail.
	Replaced func(fresh *Engine)

	// Settings are those that stored rows depend on. AsMade is for who checks a state, or makes it anew from its documents: then
	// those that the state has are taken, whatever these say, and lists that can't be read are passed over.
	made.Settings
	AsMade bool

	// Budget bounds the artifacts re-embedded with a batch beyond those it changes: one a record, at most Budget.
	Budget int
	// Sweep is how far the archive may change, in archives, before features and
	// lists made earlier are computed again in the background.
	Sweep float64
	// Linger is how long changes of the lists of artifacts that no record brought wait to be published while there is load.
	Linger time.Duration
	// MaxOutbox is the number of unpublished messages at which units wait for the publisher, and MaxOutboxBytes their size: a cutover
	// holds all of them in memory. 0 bytes is no bound.
	MaxOutbox      int
	MaxOutboxBytes int64
	// CacheBytes bounds the evidence and the lists kept decoded in memory, and what bounds scores, see topk.Share.
	CacheBytes int
}

func (c *Config) index(dim int, log *slog.Logger) vectorindex.Config {
	return vectorindex.Config{Engine: c.Engine, Graph: c.Graph, Recall: c.Recall, Asked: c.Candidates + 1, Snapshot: c.Snapshot, Dim: dim, Log: log}
}

// Engine is the pipeline over one store. Apply, Answer, Run and the queries may be
// called concurrently.
type Engine struct {
	cfg   Config
	log   *slog.Logger
	store *graphstore.Store
	// metrics and committed are those of the state that serves; CutOver hands them on. committed is called after each
	// commit: there may be messages to publish.
	metrics   *Metrics
	committed func()

	// What the stages keep in memory. All of it is derived from the store.
	words     *vocabulary.Vocabulary
	media     *encode.Media
	model     *infer.Model
	refresher *refresh.Refresher
	index     *vectorindex.Index
	lists     *topk.Lists

	// unitLock is held by the one unit at work; it guards what follows, and the stages' objects but for what they let be read.
	unitLock sync.Mutex
	clock    clock.Clock
	// made is what the state says of the settings that it is made by.
	made made.Kept
	// stale are the artifacts by the time (clock.Arrivals) at which their features were made.
	stale stale.Queue
	// overdue has since when the refresher, stale and lists have something to be computed anew.
	overdue    overdue.Age
	background background
	auditor    auditor
	// failed is why no unit may begin any more.
	failed error
	role   role

	turns turns.Turns
	seen  seen
}

// Open prepares the pipeline over a store: it loads document frequencies, builds the index from the
// stored embeddings, and finds the work that was left over.
func Open(cfg Config, store *graphstore.Store, metrics *Metrics, committed func(), log *slog.Logger) (*Engine, error) {
	return open(cfg, store, metrics, committed, log, nil)
}

// open opens an engine with an index that was filled from the same store, nil: with the one in the snapshot.
func open(cfg Config, store *graphstore.Store, metrics *Metrics, committed func(), log *slog.Logger, index *vectorindex.Index) (*Engine, error) {
	e := &Engine{cfg: cfg, log: log, store: store, metrics: metrics, committed: committed,
		media: encode.NewMedia(cfg.Encoders), auditor: newAuditor()}
	e.role.init(cfg.Standby)
	var err error
	if e.words, err = vocabulary.New(cfg.Text, cfg.Encoders.Text != nil); err != nil {
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
	if e.index = index; index == nil {
		if e.index, err = vectorindex.New(e.cfg.index(e.model.EmbeddingDim(), log)); err != nil {
			return nil, err
		}
	}
	if err := e.openMade(); err != nil {
		return nil, err
	}
	scorer, err := rerank.NewScorer(e.cfg.Score)
	if err != nil {
		return nil, err
	}
	lists := topk.Config{Size: e.cfg.ListSize, Candidates: e.cfg.Candidates, RareMembers: e.cfg.RareMembers,
		Tolerance: e.cfg.Tolerance, Settings: e.made.Lists, Sweep: e.cfg.Sweep}
	lists.CacheBytes, lists.ExactBytes = topk.Share(e.cfg.CacheBytes)
	lists.Outgrown = func(n int) {
		log.Warn("lists are made of candidates from now on, for not all scores can be bounded in the memory for lists; more of memory.limit, up to 160 MiB for bounds, and a start make them exact again", "artifacts", n, "bytes", lists.ExactBytes)
	}
	if e.lists, err = topk.New(lists, scorer, e.index, e.words.Table, e.words.Reading()); err != nil {
		return nil, err
	}
	if index == nil {
		e.index.RestoreSnapshot()
	}
	if err := store.View(e.load); err != nil {
		return nil, fmt.Errorf("pipeline: load state: %w", err)
	}
	e.report()
	e.overdue.Loaded()
	return e, nil
}

// openMade compares what the state was made by with what it is to be made by from now on.
func (e *Engine) openMade() error {
	by := made.By{
		Identity: fmt.Sprintf("text %s; model %s", e.words.Analyzer.Identity(), e.model.Fingerprint()), Epoch: e.cfg.Epoch,
		Settings: e.cfg.Settings, Keep: e.cfg.AsMade,
	}
	for _, kind := range e.cfg.Encoders.Kinds() {
		by.Identity += fmt.Sprintf("; %s by %s", kind, e.cfg.Encoders.Identity(kind))
	}
	now, changed, err := made.Open(e.store, by, func(tx *graphstore.Tx) error {
		if e.cfg.Standby {
			if err := tx.PutMeta(backfillKey, []byte{1}); err != nil {
				return err
			}
		}
		return e.cfg.Encoders.Record(tx)
	})
	if err != nil {
		return err
	}
	if changed {
		e.log.Info("settings that stored lists and vectors depend on have changed; what others made is made again in the background", "settings", fmt.Sprintf("%+v", now.Settings))
	}
	e.made, e.cfg.Settings = now, now.Settings
	return nil
}

func (e *Engine) load(r *graphstore.Reader) error {
	var bad, err error
	if e.clock, err = clock.Read(r); err != nil {
		return err
	}
	if err := e.overdue.Load(r); err != nil {
		return err
	}
	err = r.TermTable(func(bucket uint32, df int32) {
		if err := e.words.Table.Load(bucket, df); err != nil && bad == nil {
			bad = err
		}
	})
	if err := errors.Join(err, bad); err != nil {
		return err
	}
	e.words.Table.SetDocs(e.store.Counts().Artifacts)
	if err := e.role.load(r, e.clock.Arrivals); err != nil {
		return err
	}
	pushes, err := r.Pushes()
	if err != nil {
		return err
	}
	if e.refresher, err = refresh.New(refresh.Config{Epsilon: e.cfg.Epsilon, MediaNodes: e.model.MediaNodes()}, e.model, e.words.Analyzer); err != nil {
		return err
	}
	e.overdue.Watch(append(e.refresher.Waits(), &e.stale.Waits, e.lists.Waits())...)
	e.refresher.Load(pushes)
	if err := e.index.Fill(r); err != nil {
		return err
	}
	var features []stale.Stamp
	e.lists.Lost(e.clock.Lost)
	lists := e.lists.Load(listgraph.Reader{R: r})
	err = r.EachNode(func(n *graphstore.Node) bool {
		if e.made.Loose() {
			e.refresher.Recheck(n)
		}
		if !n.IsArtifact() {
			return true
		}
		at := n.EncodedAt
		if e.made.Loose() {
			at = stale.Never
		}
		features = append(features, stale.Stamp{ID: uint64(n.ID), At: at})
		if err := lists.Artifact(uint64(n.ID), n.Drift); err != nil && !e.cfg.AsMade { // who only reads the state is to tell its faults
			bad = fmt.Errorf("artifact %q: %w", n.Key, err)
			return false
		}
		return true
	})
	if err := errors.Join(err, bad); err != nil {
		return err
	}
	e.stale.Load(features)
	lists.Done()
	return e.media.Load(r)
}

// Run does everything that is not done for a batch of records or a query, until ctx ends or another
// state was cut over to.
func (e *Engine) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer cancel()
		return e.Background(ctx)
	})
	g.Go(func() error { return e.store.Maintain(ctx) })
	g.Go(func() error {
		e.index.Run(ctx) // which samples queries for the index's recall, and builds it anew when that falls
		return nil
	})
	return g.Wait()
}

// Settings are those that the state is made by.
func (e *Engine) Settings() made.Settings { return e.made.Settings }

// Quiet is true when no batch has come for a while.
func (e *Engine) Quiet() bool { return e.turns.Quiet() }

// SaveIndex writes the index beside the state, for the next start.
func (e *Engine) SaveIndex() error { return e.index.Save() }

// StoredOffset is where the consumer goes on in a partition.
func (e *Engine) StoredOffset(topic string, partition int) (stored consumer.Offset, ok bool, err error) {
	var o graphstore.Offset
	err = e.store.View(func(r *graphstore.Reader) error {
		o, ok, err = r.Offset(topic, partition)
		return err
	})
	return consumer.Offset{Topic: topic, Partition: partition, Next: o.Next, Log: o.Log}, ok, err
}

// Published tells the engine that messages left the outbox.
func (e *Engine) Published() { e.turns.Room.Broadcast() }

// Room returns a graphstore.ErrNoSpace when the disk has no room for a unit, and WaitRoom waits until it has. A standby leaves
// as much room again to the state that serves, which must not wait since another is being made.
func (e *Engine) Room() error                        { return e.store.Room(e.role.margins()) }
func (e *Engine) WaitRoom(ctx context.Context) error { return e.store.WaitRoom(ctx, e.role.margins()) }

// WaitForOutbox holds a unit back while the disk has no room for it, or the publisher is behind. Nobody publishes what is in a standby's outbox, left
// there by a cutover that was not decided; and the outbox of a state that is retired never empties.
func (e *Engine) WaitForOutbox(ctx context.Context) error {
	if err := e.WaitRoom(ctx); err != nil {
		return err
	}
	for {
		room := e.turns.Room.Changed()
		if e.role.is(retired) {
			return ErrRetired
		}
		depth, _ := e.store.OutboxDepth()
		bytes := e.store.OutboxBytes()
		full := depth > e.cfg.MaxOutbox || e.cfg.MaxOutboxBytes > 0 && bytes > e.cfg.MaxOutboxBytes
		if !full || e.role.standby() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("pipeline: %d messages of %d bytes wait in the outbox: %w", depth, bytes, ctx.Err())
		case <-room:
		}
	}
}
