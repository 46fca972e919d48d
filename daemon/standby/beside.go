package standby

import (
	"context"
	"errors"

	"kilim/daemon/pipeline"
	"kilim/graphstore"
)

// Beside is pipeline.Engine.Beside of the engine that serves. When another takes its place meanwhile, what fn wrote is in none, and it is
// called again for that one, in whose store lists of themes are what they were in the one before (graphstore.Tx.TakeOutbox).
func (m *Manager) Beside(ctx context.Context, fn func(tx *graphstore.Tx, revision uint64) error) error {
	for {
		e := m.Engine()
		err := e.Beside(ctx, fn)
		if !errors.Is(err, pipeline.ErrRetired) || e == m.Engine() {
			return err
		}
	}
}
