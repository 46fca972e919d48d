package pipeline

import (
	"kilim/graphstore"
	"kilim/rerank"
)

// prepared keeps evidence with its weights from one unit to the next. Preparing the
// candidates of a single newcomer costs more than scoring them, and a record changes the
// weights by little: so what was prepared serves until the archive has changed by
// tolerance, as read on the encode clock. With tolerance 0 nothing outlives a change.
type prepared struct {
	tolerance float64
	by        map[graphstore.NodeID]weighted
}

type weighted struct {
	evidence *rerank.Prepared
	at       float64 // encode clock
}

// mostPrepared bounds what is kept.
const mostPrepared = 50_000

// staleWeights is the part of Config.Sweep by which weights may be older than the lists
// that they are used for.
const staleWeights = 0.1

func newPrepared(sweep float64) prepared {
	return prepared{tolerance: sweep * staleWeights, by: map[graphstore.NodeID]weighted{}}
}

func (p *prepared) has(id graphstore.NodeID, now float64) bool {
	w, ok := p.by[id]
	return ok && now-w.at <= p.tolerance
}

func (p *prepared) get(id graphstore.NodeID) *rerank.Prepared { return p.by[id].evidence }

func (p *prepared) put(id graphstore.NodeID, now float64, ev *rerank.Prepared) {
	p.by[id] = weighted{ev, now}
}

// forget must be called when the evidence itself changes.
func (p *prepared) forget(id graphstore.NodeID) { delete(p.by, id) }

// bound is called between units: within one, what was prepared must stay.
func (p *prepared) bound() {
	if len(p.by) > mostPrepared {
		clear(p.by)
	}
}
