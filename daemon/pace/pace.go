// Package pace says how much of the machine work in the background leaves to ingest and queries: the making of another state, the
// themes and the map of the archive go by Rest. It must not know what the work is, nor how its owner waits.
package pace

import "time"

// Rest is how long to rest after worked: three quarters of the time while batches come, else, when it is quiet, a fifth.
func Rest(worked time.Duration, quiet bool) time.Duration {
	if quiet {
		return worked / 4
	}
	return 3 * worked
}
