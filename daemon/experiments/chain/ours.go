package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/feedfile"
)

// lookEvery is the time between two looks at a daemon that is being timed.
const lookEvery = 20 * time.Millisecond

// ourRun is one run of kilim.
type ourRun struct {
	Artifacts int `json:"artifacts"`
	// PerSecond is artifacts over PublishedSeconds.
	PerSecond float64 `json:"per_s,omitempty"`
	// Seconds from the start: every record durable, every newcomer's own update
	// acknowledged by Kafka, nothing left to refresh or to publish.
	DurableSeconds   float64 `json:"durable_s,omitempty"`
	PublishedSeconds float64 `json:"published_s,omitempty"`
	SettledSeconds   float64 `json:"settled_s,omitempty"`
	// QueueLeft is the refresh work left when all was published.
	QueueLeft int `json:"queue_left,omitempty"`
	// Of the timed part: batches of records, background units beside them,
	// embeddings computed, and µs an artifact in each stage, background units included.
	Batches   uint64             `json:"batches"`
	Units     float64            `json:"background_units"`
	Refreshed float64            `json:"refreshed"`
	Stages    map[string]float64 `json:"us_per_artifact"`
	// Updates are all messages about lists, until settled.
	Updates int `json:"updates"`
	*latency
	daemonproc.Usage
}

// work takes what was done for some artifacts from the metrics before (nil: the start) and after.
func (r *ourRun) work(before, after daemonproc.Metrics, artifacts int) {
	r.Batches = after.Observations("kilim_batch_records") - before.Observations("kilim_batch_records")
	r.Units = after.Total("kilim_commits_total") - before.Total("kilim_commits_total") - float64(r.Batches)
	r.Refreshed = after.Total("kilim_refreshed_total") - before.Total("kilim_refreshed_total")
	const stages = "kilim_stage_duration_seconds"
	r.Stages = after.Sums(stages, "stage")
	earlier := before.Sums(stages, "stage")
	for stage, seconds := range r.Stages {
		r.Stages[stage] = (seconds - earlier[stage]) / float64(artifacts) * 1e6
	}
}

// trial is a daemon that is being measured, in its surroundings.
type trial struct {
	e        *experiment
	instance *daemonproc.Instance
	topics   topics
	daemon   *daemonproc.Process
	receiver *receiver
}

// begin puts artifacts into a fresh topic and starts a daemon without any state.
func (e *experiment) begin(ctx context.Context, name string, records []feedfile.Record) (_ *trial, err error) {
	t := &trial{e: e}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.end(ctx))
		}
	}()
	if t.instance, t.topics, err = e.instance(name); err != nil {
		return nil, err
	}
	if err := e.fill(ctx, t.instance, records); err != nil {
		return nil, err
	}
	t.daemon, err = t.instance.Serve("--kafka.group", t.topics.artifacts, "--log.level", "warn",
		"--train.share", "0") // the peer doesn't train; make bench-training tells what that costs
	return t, err
}

// end stops what is there.
func (t *trial) end(ctx context.Context) error {
	if t.receiver != nil {
		t.receiver.close()
		t.receiver = nil
	}
	if t.daemon == nil {
		return nil
	}
	err := t.daemon.Close()
	t.daemon = nil
	if ctx.Err() == nil {
		err = errors.Join(err, t.e.kafka.drop(ctx, t.topics.artifacts, t.topics.similar, t.topics.deadLetters))
	}
	return err
}

// finish stops the daemon and checks that the topic holds every artifact's own update.
func (t *trial) finish(ctx context.Context, r *ourRun, artifacts int) error {
	if err := t.daemon.Stop(); err != nil {
		return err
	}
	r.Usage = t.daemon.Usage()
	if t.receiver == nil {
		var err error
		if t.receiver, err = t.e.kafka.receive(t.topics.similar); err != nil {
			return err
		}
	}
	if err := t.receiver.await(ctx, artifacts); err != nil {
		return err
	}
	r.Updates = max(r.Updates, t.receiver.total())
	return nil
}

// ourThroughput measures kilim on a topic that holds the whole feed beforehand.
func (e *experiment) ourThroughput(ctx context.Context) (*ourRun, error) {
	return e.takeIn(ctx, "kilim-"+onlyThroughput, e.feed)
}

func (e *experiment) takeIn(ctx context.Context, name string, records []feedfile.Record) (_ *ourRun, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.opt.timeout)
	defer cancel()
	n := len(records)
	t, err := e.begin(ctx, name, records)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.end(ctx)) }()
	alive, release := t.daemon.Alive(ctx)
	defer release()

	var durable time.Time
	start := time.Now()
	r := &ourRun{Artifacts: n}
	ready := false
	err = t.instance.Watch(alive, lookEvery, func(l daemonproc.Look) bool {
		ready = ready || l.Status != nil && l.Status.Ready
		if !ready {
			start = l.Asked // no partition yet, so no record was read before this
		}
		if l.Status == nil || !allDurable(l.Status, n) {
			return false
		}
		durable, r.QueueLeft = l.Answered, l.Status.RefreshQueue
		return true
	})
	if err != nil {
		return nil, err
	}
	done, published, err := t.published(alive, n)
	if err != nil {
		return nil, err
	}
	settled, err := t.settle(alive, n)
	if err != nil {
		return nil, err
	}
	last, err := t.instance.Metrics(alive)
	if err != nil {
		return nil, err
	}
	r.DurableSeconds = durable.Sub(start).Seconds()
	r.PublishedSeconds = published.Sub(start).Seconds()
	r.SettledSeconds = settled.Sub(start).Seconds()
	r.PerSecond = float64(n) / r.PublishedSeconds
	r.work(nil, done, n)
	r.Updates = int(last.Total("kilim_published_messages_total"))
	if refused := last.Total("kilim_records_refused_total"); refused > 0 {
		return nil, fmt.Errorf("kilim refused %v records of the feed", refused)
	}
	return r, t.finish(ctx, r, n)
}

// published waits until n newcomers' own updates are acknowledged. Freshness is
// observed once for each of these and for nothing else.
func (t *trial) published(ctx context.Context, n int) (m daemonproc.Metrics, at time.Time, err error) {
	err = daemonproc.Poll(ctx, lookEvery, func() (err error) {
		if m, err = t.instance.Metrics(ctx); err != nil {
			return err
		}
		at = time.Now()
		if out := m.Observations("kilim_freshness_seconds"); out < uint64(n) {
			return fmt.Errorf("of %d newcomers' updates %d are out", n, out)
		}
		return nil
	})
	return m, at, err
}

// allDurable tells whether so many artifacts, and all that was fed, are in the state.
func allDurable(s *daemonproc.Status, artifacts int) bool {
	return s.Assigned && s.Lag == 0 && s.Artifacts >= artifacts
}

// settle waits until all is durable, published and refreshed. Twice in a row: status
// reads the outbox and the queue one after the other, and a unit may end between.
func (t *trial) settle(ctx context.Context, artifacts int) (at time.Time, err error) {
	calm := 0
	err = t.instance.Watch(ctx, lookEvery, func(l daemonproc.Look) bool {
		s := l.Status
		if s == nil || !allDurable(s, artifacts) || s.Outbox > 0 || s.RefreshQueue > 0 {
			calm = 0
			return false
		}
		if calm++; calm == 1 {
			at = l.Answered
		}
		return calm == 2
	})
	return at, err
}
