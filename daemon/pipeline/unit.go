package pipeline

import (
	"fmt"
	"slices"
	"time"

	"kilim/graphstore"
	"kilim/learner/refresh"
	"kilim/rerank"
)

// unit is one atomic piece of work: what it reads, it reads through tx, which
// shows its own writes; commit makes all of it durable at once.
type unit struct {
	e    *Engine
	tx   *graphstore.Tx
	pass *refresh.Pass
	// keys finds collisions among the unit's records and with what is stored.
	keys *graphstore.KeyCheck

	// arrived and departed are what records changed.
	arrived  map[graphstore.NodeID]*arrival
	order    []graphstore.NodeID // arrived, in the order of their records
	departed map[graphstore.NodeID]*arrival
	// terms are the changes of document frequencies.
	terms map[uint32]int32
	// lists are the list rows that the unit looked at or changed.
	lists map[graphstore.NodeID]*listing
	// media are the rows about media that the unit changed.
	media []mediaChange
	// from is the state that a standby copies from; nil when this is no standby.
	from *graphstore.Reader

	weights *weights
}

// arrival is an artifact that a record brought or, with nothing woven, took away.
type arrival struct {
	id          string
	extracted   *extracted
	recorded    time.Time
	traceParent string
}

// listing is an artifact's lists on their way through a unit.
type listing struct {
	node graphstore.NodeID
	id   string
	// old is nil when nothing was published yet.
	old *row
	new row
	// touched is true when new.lists were computed or changed, ranked when
	// new.rankedAt was set.
	touched, ranked bool
}

func (e *Engine) begin() *unit {
	tx := e.store.Begin()
	return &unit{
		e: e, tx: tx, pass: e.refresher.Begin(tx), keys: tx.CheckKeys(),
		arrived: map[graphstore.NodeID]*arrival{}, departed: map[graphstore.NodeID]*arrival{},
		terms: map[uint32]int32{}, lists: map[graphstore.NodeID]*listing{},
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
func (u *unit) complete(pushed, ranked int, moving []graphstore.NodeID) (embedded int, err error) {
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
	if e.backfilling {
		err = u.rankLater()
	} else {
		err = u.rank(moving, ranked)
	}
	if err != nil {
		return 0, err
	}
	if err := u.writeLists(); err != nil {
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
		n, err := u.tx.Edit(m.ID)
		if err != nil {
			return err
		}
		if err := e.index.Put(uint64(m.ID), n.Embedding); err != nil {
			return fmt.Errorf("pipeline: index artifact %q: %w", n.Key, err)
		}
		if _, ok := u.arrived[m.ID]; ok {
			n.Drift = 0
			continue
		}
		e.clock.moved(m.Distance, artifacts)
		// Small moves add up until they could show in a score. (No list row is written:
		// at the next start the drift tells the same.)
		if n.Drift += m.Distance; n.Drift > float64(e.cfg.Tolerance) {
			e.ranked.set(m.ID, never)
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
	u.mediaCommitted()
	e.committed()
	return nil
}

// writeLists settles every list that the unit touched: what did not change
// materially stays as it was published.
func (u *unit) writeLists() error {
	ids := make([]graphstore.NodeID, 0, len(u.lists))
	for id := range u.lists {
		if _, ok := u.arrived[id]; !ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	// Newcomers first: somebody waits for them.
	for _, id := range append(slices.Clone(u.order), ids...) {
		if l := u.lists[id]; l != nil {
			if err := u.writeList(l); err != nil {
				return err
			}
		}
	}
	for id := range u.departed {
		if err := u.tx.DeleteLists(id); err != nil {
			return err
		}
		u.e.rows.Remove(id)
		u.e.evidence.Remove(id)
		u.e.prepared.forget(id)
		u.e.encoded.remove(id)
		u.e.ranked.remove(id)
		u.e.unpublished.remove(id)
		delete(u.e.unlisted, id)
	}
	return nil
}

func (u *unit) writeList(l *listing) error {
	if !l.touched {
		return nil
	}
	e := u.e
	if l.ranked {
		e.ranked.set(l.node, l.new.rankedAt)
		if l.new.rankedAt != never {
			delete(e.unlisted, l.node)
		}
	}
	var before rerank.Lists
	if l.old != nil {
		before = l.old.lists
	}
	same := l.old != nil && !rerank.Material(before, l.new.lists, e.cfg.Tolerance)
	if same {
		l.new.lists = before
	} else if err := u.hold(l.node, before, l.new.lists); err != nil {
		return err
	}
	switch {
	case same && (e.standby.Load() || l.old.revision > 0):
		l.new.revision = l.old.revision
		if l.new.rankedAt == l.old.rankedAt {
			return nil
		}
	case e.standby.Load():
		e.unpublished.add(l.node)
	default:
		if err := u.publish(l, before); err != nil {
			return err
		}
	}
	if err := u.tx.PutLists(l.node, l.new.marshal()); err != nil {
		return err
	}
	stored := l.new
	e.rows.Add(l.node, &stored)
	return nil
}

// publish gives lists their revision and puts them into the outbox. before are those stored until now.
func (u *unit) publish(l *listing, before rerank.Lists) (err error) {
	e := u.e
	if l.old != nil && l.old.revision == 0 {
		if before, err = e.lastPublished(l.id); err != nil {
			return err
		}
	}
	l.new.revision = e.clock.revision
	e.unpublished.remove(l.node)
	e.metrics.listsChanged.Inc()
	return u.enqueue(l, before)
}

func (u *unit) enqueue(l *listing, before rerank.Lists) error {
	update := rerank.Update{
		ID: l.id, Revision: l.new.revision, Epoch: u.e.cfg.Epoch, Lists: l.new.lists,
		Changes: map[string]rerank.Changes{
			"total":   rerank.Diff(before.Total, l.new.lists.Total),
			"general": rerank.Diff(before.General, l.new.lists.General),
		},
	}
	u.explain(&update)
	_, err := u.tx.Enqueue(rerank.EncodeUpdate(&update))
	return err
}

// explain names the records' artifacts that a change is due to: the artifact
// itself, and those that entered, left or moved. A change by refresh alone has none.
func (u *unit) explain(update *rerank.Update) {
	seen := map[string]struct{}{}
	name := func(id string) {
		if _, ok := seen[id]; ok {
			return
		}
		node := graphstore.ID(graphstore.Artifact, id)
		a := u.arrived[node]
		if a == nil {
			a = u.departed[node]
		}
		if a == nil {
			return
		}
		seen[id] = struct{}{}
		update.Cause = append(update.Cause, id)
		if a.recorded.After(update.Recorded) {
			update.Recorded = a.recorded
		}
		if update.TraceParent == "" {
			update.TraceParent = a.traceParent
		}
	}
	name(update.ID)
	for _, list := range []string{"total", "general"} {
		c := update.Changes[list]
		for _, ids := range [][]string{c.Entered, c.Left, c.Moved} {
			for _, id := range ids {
				name(id)
			}
		}
	}
}

// hold keeps, for each artifact, who has it in a list: its departure or move
// must reach them.
func (u *unit) hold(by graphstore.NodeID, before, after rerank.Lists) error {
	had := map[string]struct{}{}
	members(&before, func(id string) { had[id] = struct{}{} })
	var err error
	members(&after, func(id string) {
		if _, ok := had[id]; ok {
			delete(had, id)
		} else if err == nil {
			err = u.tx.SetListedBy(graphstore.ID(graphstore.Artifact, id), by, true)
		}
	})
	for id := range had {
		if err == nil {
			err = u.tx.SetListedBy(graphstore.ID(graphstore.Artifact, id), by, false)
		}
	}
	return err
}

// listing returns the lists of an artifact as the unit has them now.
func (u *unit) listing(id graphstore.NodeID) (*listing, error) {
	if l := u.lists[id]; l != nil {
		return l, nil
	}
	n, err := u.tx.Node(id)
	if err != nil {
		return nil, err
	}
	if !n.IsArtifact() {
		return nil, fmt.Errorf("pipeline: lists of node %d, which is not an artifact", id)
	}
	l := &listing{node: id, id: n.Key}
	if l.old, err = u.row(id); err != nil {
		return nil, err
	}
	if l.old != nil {
		l.new = *l.old
	}
	u.lists[id] = l
	return l, nil
}

func (u *unit) row(id graphstore.NodeID) (*row, error) {
	if r, ok := u.e.rows.Get(id); ok {
		return r, nil
	}
	b, err := u.tx.Lists(id)
	if err != nil || b == nil {
		return nil, err
	}
	r, err := unmarshalRow(b)
	if err == nil {
		u.e.rows.Add(id, r)
	}
	return r, err
}
