package pipeline

import (
	"math"
	"sync/atomic"
	"time"

	"kilim/daemon/pipeline/tally"
	"kilim/learner/encode"
)

// seen is where the unit at work has arrived, for those who look from outside of the unit lock.
type seen struct {
	// queue is the length of the refresh queue, arrivals the clock's (as bits of a float64) and revision the number of the
	// unit, as of the last one.
	queue    atomic.Int64
	arrivals atomic.Uint64
	revision atomic.Uint64
}

// report shows the outside where the unit at work has arrived.
func (e *Engine) report() {
	e.seen.queue.Store(int64(e.pending()))
	e.seen.arrivals.Store(math.Float64bits(e.clock.Arrivals))
	e.seen.revision.Store(e.clock.Revision)
	e.overdue.Look()
	e.turns.Linger.Next(e.lingered())
	if !e.role.standby() && e.lists.Unpublished() == 0 {
		e.role.republish()
	}
}

// pending is the number of things the background has to do: pushes on their way,
// artifacts whose features or lists are stale, and lists to be published: those that a standby left, and those that linger.
func (e *Engine) pending() int {
	unpublished := 0
	if !e.role.standby() {
		unpublished = e.lists.Unpublished() + e.lists.Lingering()
	}
	return unpublished + e.refresher.Pending() +
		e.stale.Count(e.clock.Arrivals, e.cfg.Sweep) +
		e.lists.Stale(e.clock.Rank)
}

// Settled is true when the engine is Quiet, and no batch has left anything to the background.
func (e *Engine) Settled() bool { return e.Quiet() && e.seen.queue.Load() == 0 }

// Status is where a state stands.
type Status struct {
	Artifacts, Placeholders int
	Nodes                   map[string]int // by type
	Edges                   map[string]int // by relation
	// RefreshQueue is what waits for the background, Outbox what waits for the brokers.
	RefreshQueue, Outbox int
	// Overdue is for how long the oldest embedding or list that is stale has waited, in seconds.
	Overdue float64
	// OutboxSince is when the oldest message in the outbox was committed; zero: none is in it.
	OutboxSince time.Time
	Epoch       uint32
	Revision    uint64
	IndexEngine string
	Vectors     int
	Records     tally.Counts
	Media       map[string]encode.Counts // by modality, of those that have an encoder
}

// Status tells where the state stands.
func (e *Engine) Status() Status {
	media := e.media.Counts()    // before the queue, which gets what an answer sets off
	queue := e.seen.queue.Load() // before the outbox, which gets what the queue's work finds
	counts := e.store.Counts()
	depth, since := e.store.OutboxDepth()
	return Status{
		Artifacts: counts.Artifacts, Placeholders: counts.Placeholders,
		Nodes: counts.NodesByType(), Edges: counts.EdgesByRelation(),
		RefreshQueue: int(queue), Overdue: e.overdue.Seconds(), Outbox: depth, OutboxSince: since,
		Epoch: e.cfg.Epoch, Revision: e.seen.revision.Load(),
		IndexEngine: e.cfg.Engine, Vectors: e.index.Len(),
		Records: e.metrics.records.Now(),
		Media:   media,
	}
}
