package pipeline

import (
	"fmt"
	"math/rand/v2"
	"time"

	"kilim/graphstore"
)

// auditEvery is the time between two audits. One costs about as much as embedding
// a few artifacts, in a model of three layers some dozens.
const auditEvery = time.Second

// auditor picks embeddings to compute again exactly.
type auditor struct {
	rng  *rand.Rand
	next time.Time
}

func newAuditor() auditor { return auditor{rng: rand.New(rand.NewPCG(Seed, 0))} }

// audit observes how far an artifact's stored embedding is from the exact one. It is called
// between units, whose state is committed.
func (a *auditor) audit(e *Engine) error {
	now := time.Now()
	if now.Before(a.next) {
		return nil
	}
	a.next = now.Add(auditEvery)
	id, ok := e.stale.Sample(a.rng)
	if !ok {
		return nil
	}
	return e.store.View(func(r *graphstore.Reader) error {
		distance, err := e.refresher.Audit(r, graphstore.NodeID(id))
		if err != nil {
			return fmt.Errorf("pipeline: %w", err)
		}
		e.metrics.drift.Observe(distance)
		return nil
	})
}
