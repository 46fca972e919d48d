// Package pace says how much of the machine work in the background leaves to ingest and queries: the making of another state, the themes, the order
// learned from judgments and the map of the archive go by it. It must not know what the work is.
package pace

import (
	"context"
	"time"
)

// For is how long to rest after worked: three quarters of the time while batches come, else, when it is quiet, a fifth.
func For(worked time.Duration, quiet bool) time.Duration {
	if quiet {
		return worked / 4
	}
	return 3 * worked
}

// Rest waits as long as For says. Its error is ctx's.
func Rest(ctx context.Context, worked time.Duration, quiet bool) error {
	timer := time.NewTimer(For(worked, quiet))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
