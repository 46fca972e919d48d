package topk

import (
	"errors"
	"math"
	"sync"

	"kilim/rerank"
	"kilim/rerank/topk/bound"
)

// everyone bounds the scores of any artifact with all that there are: with it, lists are those that scoring each with each would make.
// It follows what the unit at work does. A failed unit ends the use of the Lists (see pipeline.Engine.replace), so nothing is undone.
//
// An archive that has outgrown Config.ExactBytes has no table from then on: what a scan takes grows with the archive, while a search
// of the index does not. Lists are made of candidates then, until a start finds that there is room again.
type everyone struct {
	limit    int
	outgrown func(artifacts int)
	index    Index

	lock sync.RWMutex
	// table is nil when it was given up. The unit at work writes it under the lock, and reads without; a search, which runs beside it, holds
	// the lock to read.
	table *bound.Table
	// moved are the artifacts whose vectors the table does not have yet: the index has them when lists are made.
	moved []uint64
}

func newEveryone(cfg Config, scorer *rerank.Scorer, index Index, words Words) *everyone {
	e := &everyone{limit: cfg.ExactBytes, outgrown: cfg.Outgrown, index: index}
	if cfg.ExactBytes > 0 {
		e.table = bound.New(scorer, words)
	}
	return e
}

// change has the table changed, if there is one.
func (e *everyone) change(with func(t *bound.Table)) {
	if e.table == nil {
		return
	}
	e.lock.Lock()
	defer e.lock.Unlock()
	with(e.table)
	if e.table.Bytes() <= e.limit {
		return
	}
	if e.outgrown != nil {
		e.outgrown(e.table.Len())
	}
	e.table, e.moved = nil, nil
}

// load takes up a stored artifact; one whose evidence is lost is nobody's candidate.
func (e *everyone) load(g Reader, node uint64, least least) error {
	if e.table == nil {
		return nil
	}
	evidence, err := g.Evidence(node)
	if errors.Is(err, ErrLost) {
		return nil
	}
	if err != nil {
		return err
	}
	e.arrived(node, evidence)
	e.setLeast(node, least)
	e.follow()
	return nil
}

// loaded has weights for those who search before the first unit, which begins an epoch of its own.
func (e *everyone) loaded(artifacts int) {
	e.change(func(t *bound.Table) { t.Begin(math.NaN(), artifacts) })
}

func (e *everyone) arrived(node uint64, evidence *rerank.Evidence) {
	e.change(func(t *bound.Table) { t.Put(evidence) })
	e.hasMoved(node)
}

func (e *everyone) departed(node uint64) {
	e.change(func(t *bound.Table) { t.Remove(node) })
}

func (e *everyone) setLeast(node uint64, to least) {
	e.change(func(t *bound.Table) { t.SetLeast(node, to[0], to[1]) })
}

// closed has nobody offered to the lists of an artifact until setLeast: they are made with everyone in view.
func (e *everyone) closed(node uint64) {
	inf := float32(math.Inf(1))
	e.setLeast(node, least{inf, inf})
}

func (e *everyone) hasMoved(node uint64) {
	if e.table != nil {
		e.moved = append(e.moved, node)
	}
}

// follow takes up the vectors that moved.
func (e *everyone) follow() {
	if len(e.moved) == 0 {
		return
	}
	vector := make([]float32, e.index.Dim())
	e.change(func(t *bound.Table) {
		for _, node := range e.moved {
			if e.index.Vector(node, vector) {
				t.Move(node, vector)
			}
		}
	})
	e.moved = e.moved[:0]
}

// beginEpoch begins an epoch of frequencies when the archive has changed by more than tolerance since the last began.
func (e *everyone) beginEpoch(encode, tolerance float64, artifacts int) {
	e.change(func(t *bound.Table) {
		if !(encode-t.Epoch() <= tolerance) {
			t.Begin(encode, artifacts)
		}
	})
}
