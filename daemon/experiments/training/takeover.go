package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kilim/daemon/experiments/daemonproc"
)

// takeover is what a feed saw under which a model was trained and took over.
type takeover struct {
	freshness         // of the feed
	feed      float64 // its length, and when the model served, in seconds since its beginning
	served    float64
	fed       int // records that the broker acknowledged
	epoch     uint32
	answers   int
	artifacts int
	reason    string // of the gate
}

// after is how long the feed goes on when a new model serves.
const after = 30 * time.Second

// takeover lets a daemon train, with one core, and take over while a feed goes on. Readers ask all along for the lists of
// what was there before: each must get an answer, and none of an older model after one of a newer.
func (e *experiment) takeover(ctx context.Context, ids []string, feed, stages string, rate float64) (r takeover, err error) {
	// All that the state has is new to training: it is due at once.
	flags := []string{"--train.share", "1", "--train.least", "100", "--train.changes", "0.9", "--train.stages", stages}
	err = e.withCopy("takeover", func(i *daemonproc.Instance) error {
		err := while(ctx, i, flags, func(ctx context.Context) error { return r.watch(ctx, i, ids, feed, rate) })
		if err != nil {
			return err
		}
		if r.epoch < 2 || r.served > r.feed {
			return fmt.Errorf("no model took over within the %.0f s of the feed (%s): have it longer (-measure) or slower (-rate)", r.feed, r.reason)
		}
		faults, err := i.Check(ctx)
		if err == nil && faults != "" {
			err = fmt.Errorf("kilim check: %s", faults)
		}
		return err
	})
	return r, err
}

// watch feeds a file until it is at its end, a new model has served for a while, or an answer is not as it must be.
func (r *takeover) watch(ctx context.Context, i *daemonproc.Instance, ids []string, feed string, rate float64) error {
	if err := i.Ready(ctx); err != nil {
		return err
	}
	start := time.Now()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	feeding, enough := context.WithCancel(ctx)
	defer enough()
	readers := &readers{daemon: i, ids: ids, first: map[uint32]time.Time{}, failed: enough, newer: func() { time.AfterFunc(after, enough) }}
	readers.start(reading, 2)
	var err error
	r.fed, err = i.Feed(feeding, feed, rate)
	if r.fed > 0 && feeding.Err() != nil && ctx.Err() == nil {
		err = nil // the feed was stopped because it was long enough, or by a reader, who tells why
	}
	r.feed = time.Since(start).Seconds()
	if err == nil {
		_, err = i.Settle(ctx)
	}
	stop()
	if err := errors.Join(err, readers.wait()); err != nil {
		return err
	}
	for epoch, at := range readers.first {
		if epoch == 2 {
			r.served = at.Sub(start).Seconds()
		}
		r.epoch = max(r.epoch, epoch)
	}
	r.answers = readers.answers
	metrics, err := i.Metrics(ctx)
	if err != nil {
		return err
	}
	if r.freshness, err = freshnessOf(metrics); err != nil {
		return err
	}
	return until(ctx, i, func(s *daemonproc.Status) bool {
		r.artifacts = s.Artifacts
		if s.Training != nil && s.Training.Last != nil {
			r.reason = s.Training.Last.Reason
		}
		return true
	})
}
