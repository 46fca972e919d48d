package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"kilim/daemon/experiments/daemonproc"
)

// readers ask for lists until they are told to stop.
type readers struct {
	daemon *daemonproc.Instance
	ids    []string

	group   sync.WaitGroup
	mu      sync.Mutex
	first   map[uint32]time.Time // of each epoch's answers
	answers int
	err     error

	newer  func() // called when a second epoch has answered
	failed func() // called when an answer is not as it must be
}

func (r *readers) start(ctx context.Context, n int) {
	for i := range n {
		r.group.Go(func() {
			epoch := uint32(0)
			for k := i; ctx.Err() == nil; k += n {
				answered, err := r.ask(ctx, r.ids[k%len(r.ids)])
				if ctx.Err() != nil {
					return
				}
				if err == nil && answered < epoch {
					err = fmt.Errorf("an answer of epoch %d after one of %d", answered, epoch)
				}
				r.mu.Lock()
				if err != nil {
					r.err = errors.Join(r.err, err)
					r.mu.Unlock()
					r.failed()
					return
				}
				epoch = answered
				if r.answers++; r.first[epoch].IsZero() {
					r.first[epoch] = time.Now()
					if len(r.first) == 2 {
						r.newer()
					}
				}
				r.mu.Unlock()
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}

func (r *readers) wait() error {
	r.group.Wait()
	return r.err
}

// ask returns the epoch of the model whose list was answered.
func (r *readers) ask(ctx context.Context, id string) (uint32, error) {
	var answer struct {
		Epoch uint32 `json:"epoch"`
	}
	found, err := r.daemon.Get(ctx, "/api/v1/artifacts/"+url.PathEscape(id)+"/similar?list=general", &answer)
	if err == nil && !found {
		err = fmt.Errorf("nothing is similar to %s: it is not there", id)
	}
	return answer.Epoch, err
}
