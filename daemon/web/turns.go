package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/semaphore"
)

// turns bounds how much of a costly kind is done at once.
type turns struct {
	free *semaphore.Weighted
	wait time.Duration
	what string
}

func newTurns(atOnce int64, wait time.Duration, what string) *turns {
	return &turns{semaphore.NewWeighted(atOnce), wait, what}
}

// retryAfter is what is told to a client whose turn did not come.
const retryAfter = 10 * time.Second

// take waits for a turn, which ends with done. No turn within wait is an error of status 503.
func (t *turns) take(w http.ResponseWriter, r *http.Request) (done func(), err error) {
	if !t.free.TryAcquire(1) {
		ctx, cancel := context.WithTimeout(r.Context(), t.wait)
		defer cancel()
		if t.free.Acquire(ctx, 1) != nil {
			if err := r.Context().Err(); err != nil {
				return nil, err
			}
			w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
			return nil, fail(http.StatusServiceUnavailable, "as many %s as allowed are running, try again in %v", t.what, retryAfter)
		}
	}
	return func() { t.free.Release(1) }, nil
}
