package topk

import (
	"math"

	"kilim/rerank"
)

// weights are the inverse document frequencies at one state of the archive, as rerank.Weights.
type weights struct {
	g         Reader
	words     Words
	artifacts float64
	entities  map[uint64]float32
	err       error // the first of a read; callers look when they have prepared all
}

func newWeights(g Reader, words Words) *weights {
	return &weights{g: g, words: words, artifacts: float64(g.Artifacts()), entities: map[uint64]float32{}}
}

func (w *weights) WordIDF(bucket uint32) float32 { return w.words.IDF(bucket) }

// EntityIDF is ln((1+N)/(1+n)) + 1 for an entity that n of N artifacts share. An
// entity that is in no stored artifact (a query's own) has n = 0.
func (w *weights) EntityIDF(node uint64) float32 {
	if v, ok := w.entities[node]; ok {
		return v
	}
	e, _, err := w.g.Entity(node) // n is 0 of one that is not known
	if err != nil && w.err == nil {
		w.err = err
	}
	v := float32(math.Log((1+w.artifacts)/(1+float64(e.Members))) + 1)
	w.entities[node] = v
	return v
}

// prepared keeps evidence with its weights from one unit to the next. Preparing the
// candidates of a single newcomer costs more than scoring them, and a record changes the
// weights by little: so what was prepared serves until the archive has changed by
// tolerance, as read on the encode clock. With tolerance 0 nothing outlives a change.
type prepared struct {
	tolerance float64
	by        map[uint64]weighted
	// bytes are those of what is in by, and limit the most.
	bytes, limit int
}

type weighted struct {
	evidence *rerank.Prepared
	at       float64 // encode time
	bytes    int
}

// staleWeights is the part of Config.Sweep by which weights may be older than the lists
// that they are used for.
const staleWeights = 0.1

func newPrepared(sweep float64, limit int) prepared {
	return prepared{tolerance: sweep * staleWeights, by: map[uint64]weighted{}, limit: limit}
}

// get returns nil when there is nothing that still serves.
func (p *prepared) get(node uint64, now float64) *rerank.Prepared {
	if w, ok := p.by[node]; ok && now-w.at <= p.tolerance {
		return w.evidence
	}
	return nil
}

// put keeps evidence while there is room. For what it does not keep, a unit prepares the same again.
func (p *prepared) put(node uint64, now float64, e *rerank.Prepared, bytes int) {
	p.forget(node)
	if p.bytes+bytes > p.limit {
		return
	}
	p.by[node] = weighted{e, now, bytes}
	p.bytes += bytes
}

// forget must be called when the evidence itself changes.
func (p *prepared) forget(node uint64) {
	p.bytes -= p.by[node].bytes
	delete(p.by, node)
}

// bound is called once a unit, so that a unit works with one set of what was prepared. It makes room when little is left.
func (p *prepared) bound() {
	if p.bytes > p.limit/4*3 {
		clear(p.by)
		p.bytes = 0
	}
}
