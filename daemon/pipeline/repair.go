package pipeline

import (
	"time"

	"kilim/graphstore"
	"kilim/rerank"
)

// BuryDamaged puts into the outbox that the artifacts are gone whose documents are damaged, and names them: whoever makes the
// state anew from its documents makes it without them. It reads and changes nothing else of a state that may be damaged anywhere.
func (e *Engine) BuryDamaged(now time.Time) (ids []string, err error) {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if err := e.store.View(func(r *graphstore.Reader) (err error) {
		ids, err = r.DamagedArtifacts()
		return err
	}); err != nil || len(ids) == 0 {
		return nil, err
	}
	u := e.begin(nil)
	defer u.tx.Discard()
	for _, id := range ids {
		if _, err := u.tx.Enqueue(rerank.EncodeTombstone(id, e.clock.revision, now)); err != nil {
			return nil, err
		}
	}
	return ids, u.commit()
}
