package pipeline

import (
	"errors"
	"fmt"
	"time"

	"kilim/daemon/pipeline/listgraph"
	"kilim/daemon/pipeline/slowest"
	"kilim/daemon/pipeline/vocabulary"
	"kilim/graphstore"
	"kilim/learner/encode"
	"kilim/learner/refresh"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// unit is one atomic piece of work: what it reads, it reads through tx, which
// shows its own writes; the stage commit makes all of it durable at once. refresh, media and lists are the passes of the
// stages of these names over tx.
type unit struct {
	e       *Engine
	tx      *graphstore.Tx
	refresh *refresh.Pass
	media   *encode.Pass
	lists   *topk.Pass
	// keys finds collisions among the unit's records and with what is stored.
	keys *graphstore.KeyCheck

	// arrived is what records brought.
	arrived map[graphstore.NodeID]*vocabulary.Extracted
	order   []graphstore.NodeID // arrived, in the order of their records
	// moved are the embeddings that the stage refresh computed.
	moved []refresh.Moved
	// published counts the lists made by a standby, and those that have lingered, that the stage rerank has taken up to publish.
	published int
	// spent is what the stages took, and committing what the commit itself did.
	spent      []slowest.Stage
	committing time.Duration
}

// begin starts the next unit. A standby copies from another state: from are the rows about media of that one, nil otherwise.
func (e *Engine) begin(from encode.Rows) *unit {
	tx := e.store.Begin()
	e.clock.Revision++
	lists := e.role.listing(e.clock.Revision, &tx.Reader)
	lists.At, lists.Linger = e.turns.Linger.At(), e.linger()
	return &unit{
		e: e, tx: tx, refresh: e.refresher.Begin(tx), media: e.media.Begin(tx, from, e.clock.Revision), lists: e.lists.Begin(listgraph.Of(tx), lists),
		keys: tx.CheckKeys(), arrived: map[graphstore.NodeID]*vocabulary.Extracted{},
	}
}

// stage is one step of a unit, under the name by which kilim_stage_duration_seconds tells what it takes.
type stage struct {
	name string
	run  func() error
}

// through takes a unit through stages in their order, until one fails, and adds to spent what each took.
func (m *Metrics) through(spent *[]slowest.Stage, stages ...stage) error {
	for _, s := range stages {
		start := time.Now()
		if err := s.run(); err != nil {
			return err
		}
		took := time.Since(start)
		m.ObserveStage(s.name, took)
		*spent = append(*spent, slowest.Stage{Name: s.name, Took: took})
	}
	return nil
}

// budget bounds what a unit does beyond what it was begun for.
type budget struct {
	// pushed bounds the embeddings computed because of pushes, ranked the lists computed because they lost an entry,
	// published the lists made by a standby that are published, lingered those whose change has waited for that, early those whose has
	// waited nearly as long.
	pushed, ranked, published, lingered, early int
}

// complete takes a unit whose changes of the graph are made through the stages that follow from them: it refreshes what
// they touched, brings index and lists up to date, and commits.
//
// Lists are computed for the newcomers and for those in moving, which the unit took up to rank
// because they had moved. What moves in this very unit is ranked by a later one: it may
// well move again before everything around it is at rest.
func (u *unit) complete(b budget, moving []uint64) error {
	return u.e.metrics.through(&u.spent,
		stage{"refresh", func() error { return u.embed(b.pushed) }},
		stage{"index", u.reindex},
		stage{"rerank", func() error { return u.rank(b, moving) }},
		stage{"commit", u.commit},
	)
}

func (u *unit) embed(pushed int) (err error) {
	u.moved, err = u.refresh.Embed(pushed)
	return err
}

// reindex puts embeddings that moved into the index.
func (u *unit) reindex() error {
	e := u.e
	artifacts := u.tx.Counts().Artifacts
	for _, m := range u.moved {
		if m.Distance == 0 {
			continue
		}
		n, err := u.tx.Node(m.ID)
		if err != nil {
			return err
		}
		if err := e.index.Put(uint64(m.ID), n.Embedding); err != nil {
			return fmt.Errorf("pipeline: index artifact %q: %w", n.Key, err)
		}
		if _, ok := u.arrived[m.ID]; !ok { // an arrival has moved the clock already
			e.clock.Moved(m.Distance, artifacts)
		}
		if err := u.lists.Moved(uint64(m.ID), m.Distance); err != nil {
			return err
		}
	}
	e.metrics.refreshed.Add(float64(len(u.moved)))
	return nil
}

func (u *unit) rank(b budget, moving []uint64) (err error) {
	if u.published, err = u.lists.Publish(b.published, b.lingered, b.early); err != nil {
		return err
	}
	if err := u.lists.Rank(u.e.clock.Time(), moving, b.ranked); err != nil {
		return err
	}
	return u.lists.Write(u.enqueue)
}

// enqueue puts an update into the outbox.
func (u *unit) enqueue(update *rerank.Update) error {
	update.Epoch = u.e.cfg.Epoch
	u.e.metrics.listsChanged.Inc()
	_, err := u.tx.Enqueue(rerank.EncodeUpdate(update))
	return err
}

func (u *unit) commit() error {
	e := u.e
	if err := errors.Join(e.clock.Put(u.tx), e.overdue.Put(u.tx)); err != nil {
		return err
	}
	if e.made.Loose() && e.refresher.Rechecking() == 0 && e.stale.Urgent() == 0 {
		e.made.Within = e.made.Epsilon // all vectors have been looked at
		if err := e.made.Put(u.tx); err != nil {
			return err
		}
	}
	start := time.Now()
	if err := u.tx.Commit(); err != nil {
		return fmt.Errorf("pipeline: commit unit %d: %w", e.clock.Revision, err)
	}
	u.committing = time.Since(start)
	e.metrics.commits.Inc()
	e.report() // before anything leaves the media queue: what follows from it must be seen to wait
	u.media.Committed()
	e.committed()
	return nil
}
