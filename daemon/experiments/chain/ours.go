package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

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
	usage
}

// work takes what was done for some artifacts from scrapes before (nil: the start) and after.
func (r *ourRun) work(before, after scrape, artifacts int) {
	r.Batches = after.observations("kilim_batch_records") - before.observations("kilim_batch_records")
	r.Units = after.total("kilim_commits_total") - before.total("kilim_commits_total") - float64(r.Batches)
	r.Refreshed = after.total("kilim_refreshed_total") - before.total("kilim_refreshed_total")
	r.Stages = perArtifact(before, after, artifacts)
}

// trial is a run of kilim in its surroundings.
type trial struct {
	l        *lab
	dir      string
	topics   topics
	daemon   *daemon
	receiver *receiver
}

// begin puts artifacts into a fresh topic and starts a daemon without any state.
func (l *lab) begin(ctx context.Context, name string, records []record) (_ *trial, err error) {
	t := &trial{l: l}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.end(ctx))
		}
	}()
	if t.dir, err = l.folder(name); err != nil {
		return nil, err
	}
	t.topics = newTopics(filepath.Base(t.dir))
	if err := l.fill(ctx, t.dir, t.topics, records); err != nil {
		return nil, err
	}
	t.daemon, err = l.startDaemon(t.dir, t.topics)
	return t, err
}

// end stops what is there. What the daemon was or did is not an error of the figures.
func (t *trial) end(ctx context.Context) error {
	if t.receiver != nil {
		t.receiver.close()
		t.receiver = nil
	}
	if t.daemon == nil {
		return nil
	}
	err := t.daemon.stop()
	t.daemon = nil
	if ctx.Err() == nil {
		err = errors.Join(err, t.l.kafka.drop(ctx, t.topics.artifacts, t.topics.similar, t.topics.deadLetters))
	}
	return err
}

// finish stops the daemon and checks that the topic holds every artifact's own update.
func (t *trial) finish(ctx context.Context, r *ourRun, artifacts int) error {
	if err := t.daemon.stop(); err != nil {
		return err
	}
	if t.daemon.err != nil {
		return fmt.Errorf("kilim did not stop as it should: %w", t.daemon.failure())
	}
	r.usage = t.daemon.usage()
	if t.receiver == nil {
		var err error
		if t.receiver, err = t.l.kafka.receive(t.topics.similar); err != nil {
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
func (l *lab) ourThroughput(ctx context.Context) (*ourRun, error) {
	return l.takeIn(ctx, "kilim-"+onlyThroughput, l.feed)
}

func (l *lab) takeIn(ctx context.Context, name string, records []record) (_ *ourRun, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.opt.timeout)
	defer cancel()
	n := len(records)
	t, err := l.begin(ctx, name, records)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.end(ctx)) }()

	var durable time.Time
	start := time.Now()
	r := &ourRun{Artifacts: n}
	ready := false
	err = t.daemon.watch(ctx, func(m moment, s *status) bool {
		ready = ready || s != nil && s.Ready
		if !ready {
			start = m.asked // no partition yet, so no record was read before this
		}
		if s == nil || !s.durable(n) {
			return false
		}
		durable, r.QueueLeft = m.answered, s.RefreshQueue
		return true
	})
	if err != nil {
		return nil, err
	}
	done, published, err := t.published(ctx, n)
	if err != nil {
		return nil, err
	}
	settled, err := t.daemon.settle(ctx, n)
	if err != nil {
		return nil, err
	}
	last, err := t.daemon.scrape(ctx)
	if err != nil {
		return nil, err
	}
	r.DurableSeconds = durable.Sub(start).Seconds()
	r.PublishedSeconds = published.Sub(start).Seconds()
	r.SettledSeconds = settled.Sub(start).Seconds()
	r.PerSecond = float64(n) / r.PublishedSeconds
	r.work(nil, done, n)
	r.Updates = int(last.total("kilim_published_messages_total"))
	if refused := last.total("kilim_records_refused_total"); refused > 0 {
		return nil, fmt.Errorf("kilim refused %v records of the feed", refused)
	}
	return r, t.finish(ctx, r, n)
}

// published waits until n newcomers' own updates are acknowledged. Freshness is
// observed once for each of these and for nothing else.
func (t *trial) published(ctx context.Context, n int) (scrape, time.Time, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		s, err := t.daemon.scrape(ctx)
		if err != nil {
			return nil, time.Time{}, err
		}
		now := time.Now()
		if s.observations("kilim_freshness_seconds") >= uint64(n) {
			return s, now, nil
		}
		select {
		case <-t.daemon.done:
			return nil, time.Time{}, t.daemon.failure()
		case <-ctx.Done():
			return nil, time.Time{}, fmt.Errorf("waiting for %d newcomers' updates, %d are out: %w", n, s.observations("kilim_freshness_seconds"), ctx.Err())
		case <-tick.C:
		}
	}
}
