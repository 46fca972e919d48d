package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync/atomic"
	"time"

	"kilim/daemon/experiments/daemonproc"
)

// queries asks for the lists of artifacts that are there, one after the other.
type queries struct {
	daemon *daemonproc.Instance
	// stored is the number of artifacts that are there; those of the demo archive are fed in the order of their numbers.
	stored atomic.Int64
	millis []float64
	err    error
}

// pause is the time between an answer and the next question: some twenty a second.
const pause = 50 * time.Millisecond

// run asks until ctx ends. An answer that is no list ends it.
func (q *queries) run(ctx context.Context) {
	rng := rand.New(rand.NewPCG(1, 2))
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for q.err == nil {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n := q.stored.Load()
		if n == 0 {
			continue
		}
		start := time.Now()
		err := q.ask(ctx, demoID(int(rng.Int64N(n))))
		if ctx.Err() != nil {
			return
		}
		q.millis, q.err = append(q.millis, time.Since(start).Seconds()*1000), err
	}
}

func (q *queries) ask(ctx context.Context, id string) error {
	var answer struct{}
	found, err := q.daemon.Get(ctx, "/api/v1/artifacts/"+url.PathEscape(id)+"/similar", &answer)
	if err == nil && !found {
		err = fmt.Errorf("a query for %s, which is stored: not there", id)
	}
	return err
}

// demoID is the id of the n-th record of every demo archive.
func demoID(n int) string { return fmt.Sprintf("demo:%08d", n) }
