package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"kilim/daemon/experiments/stats"
)

func threads() int { return runtime.GOMAXPROCS(0) }

// streamRound is one round: the peer's rows and ours, by the size of a batch.
type streamRound struct {
	peer map[int]peerRow
	ours map[int]*streamTimes
}

func (r *report) measureStream(ctx context.Context, say io.Writer) error {
	if err := r.options.prepare(ctx, say); err != nil {
		return err
	}
	w, err := readExport(r.options.export)
	if err != nil {
		return err
	}
	s, err := newStream(w)
	if err != nil {
		return err
	}
	if r.start = difference(s.embeddings(), w.expectedStart); !(r.start <= w.tolerance) {
		return fmt.Errorf("at the start an embedding is %v from the peer's, more than %v", r.start, w.tolerance)
	}
	r.tolerance = w.tolerance
	for round := range r.options.rounds {
		fmt.Fprintf(say, "stream: round %d of %d\n", round+1, r.options.rounds)
		peer, err := r.options.runPeer(ctx, say)
		if err != nil {
			return err
		}
		ours := map[int]*streamTimes{}
		for _, size := range r.options.sizes {
			if ours[size], err = s.run(size, time.Duration(r.options.seconds*float64(time.Second))); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			fmt.Fprintf(say, "  %d edges a batch: numpy %.0f/s, %.0f µs of CPU an update; ours %.0f/s, %.0f µs\n",
				size, peer[size].PerSecond, peer[size].CPU, ours[size].insert.perSecond(), ours[size].insert.cpuMicros())
		}
		r.rounds = append(r.rounds, streamRound{peer, ours})
	}
	return nil
}

// perSecond is the rate of updates within the batches, cpuMicros what processors spent on one.
func (t *timing) perSecond() float64 {
	var sum time.Duration
	for _, b := range t.batches {
		sum += b
	}
	return float64(t.updates) / sum.Seconds()
}

func (t *timing) cpuMicros() float64 { return float64(t.cpu.Nanoseconds()) / 1e3 / float64(t.updates) }

// quantile is of the batches' times, in milliseconds.
func (t *timing) quantile(q float64) float64 {
	ms := make([]float64, len(t.batches))
	for i, b := range t.batches {
		ms[i] = float64(b.Nanoseconds()) / 1e6
	}
	return stats.Quantile(ms, q)
}

// firstHub is the size from which growth is measured.
const firstHub = 1000

// hubRow is a tenfold growth of a hub.
type hubRow struct {
	kind string
	*growth
	deviation
}

// exactRow is an insertion into a hub in exact mode.
type exactRow struct {
	members  int
	ms       float64
	embedded float64
}

// exactInsertions is how many are measured at each size in exact mode.
const exactInsertions = 5

// audited is how many members' embeddings are compared with the exact ones.
const audited = 200

func (r *report) measureHubs(ctx context.Context, say io.Writer) error {
	for _, kind := range []struct {
		name   string
		drifts bool
	}{{"of one kind", false}, {"ever different", true}} {
		h, err := newHub(float32(r.options.epsilon), kind.drifts)
		if err != nil {
			return err
		}
		if err := h.load(firstHub); err != nil {
			return err
		}
		for at := firstHub; at < r.options.hub && ctx.Err() == nil; {
			at = min(at*10, r.options.hub)
			fmt.Fprintf(say, "hub with members %s: up to %d\n", kind.name, at)
			row := hubRow{kind: kind.name}
			if row.growth, err = h.grow(at); err != nil {
				return err
			}
			if row.deviation, err = h.deviation(audited); err != nil {
				return err
			}
			r.hubs = append(r.hubs, row)
		}
	}
	for at := firstHub; at <= r.options.exact && ctx.Err() == nil; at *= 10 {
		fmt.Fprintf(say, "hub in exact mode: %d members\n", at)
		h, err := newHub(0, false)
		if err != nil {
			return err
		}
		if err := h.load(at); err != nil {
			return err
		}
		t, err := h.grow(at + exactInsertions)
		if err != nil {
			return err
		}
		r.exact = append(r.exact, exactRow{at, t.wall.Seconds() * 1e3 / exactInsertions, float64(t.embedded) / exactInsertions})
	}
	return ctx.Err()
}
