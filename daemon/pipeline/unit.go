package pipeline

import (
	"fmt"

	"kilim/graphstore"
	"kilim/learner/encode"
	"kilim/learner/refresh"
	"kilim/rerank/topk"
)

// unit is one atomic piece of work: what it reads, it reads through tx, which
// shows its own writes; commit makes all of it durable at once.
type unit struct {
	e     *Engine
	tx    *graphstore.Tx
	pass  *refresh.Pass
	media *encode.Pass
	lists *topk.Pass

	// arrived is what records brought.
	arrived map[graphstore.NodeID]*extracted
	order   []graphstore.NodeID // arrived, in the order of their records
	// terms are the changes of document frequencies.
	terms map[uint32]int32
}

// begin starts the next unit. A standby copies from another state: from are the rows about media of that one, nil otherwise.
func (e *Engine) begin(from encode.Rows) *unit {
	tx := e.store.Begin()
	e.clock.revision++
	return &unit{
		e: e, tx: tx, pass: e.refresher.Begin(tx), media: e.media.Begin(tx, from, e.clock.revision), lists: e.beginLists(tx),
		arrived: map[graphstore.NodeID]*extracted{}, terms: map[uint32]int32{},
	}
}

// complete refreshes what the unit touched, brings index and lists up to date,
// and commits.
//
// Lists are computed for the newcomers and for those in moving, which the unit took up to rank
// because they had moved. What moves in this very unit is ranked by a later one: it may
// well move again before everything around it is at rest.
//
// pushed bounds the embeddings computed because of pushes, ranked the lists computed
// because they lost an entry. It returns the number of embeddings computed.
func (u *unit) complete(pushed, ranked int, moving []uint64) (embedded int, err error) {
	e := u.e
	stop := e.metrics.stage("refresh")
	moved, err := u.pass.Embed(pushed)
	if err != nil {
		return 0, err
	}
	stop()

	stop = e.metrics.stage("index")
	if err := u.reindex(moved); err != nil {
		return 0, err
	}
	e.metrics.refreshed.Add(float64(len(moved)))
	stop()

	stop = e.metrics.stage("rerank")
	if err := u.lists.Rank(e.clock.time(), moving, ranked); err != nil {
		return 0, err
	}
	if err := u.lists.Write(u.publish); err != nil {
		return 0, err
	}
	stop()
	return len(moved), u.commit()
}

// reindex puts embeddings that moved into the index.
func (u *unit) reindex(moved []refresh.Moved) error {
	e := u.e
	artifacts := u.tx.Counts().Artifacts
	for _, m := range moved {
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
			e.clock.moved(m.Distance, artifacts)
		}
		if err := u.lists.Moved(uint64(m.ID), m.Distance); err != nil {
			return err
		}
	}
	return nil
}

func (u *unit) commit() error {
	e := u.e
	defer e.metrics.stage("commit")()
	if len(u.terms) > 0 {
		if err := u.tx.AddTerms(u.terms); err != nil {
			return err
		}
	}
	if err := u.tx.PutMeta(clockKey, e.clock.marshal()); err != nil {
		return err
	}
	if err := u.tx.Commit(); err != nil {
		return fmt.Errorf("pipeline: commit unit %d: %w", e.clock.revision, err)
	}
	e.metrics.commits.Inc()
	e.report() // before anything leaves the media queue: what follows from it must be seen to wait
	u.media.Committed()
	e.committed()
	return nil
}
