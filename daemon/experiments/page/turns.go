package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/feedfile"
	"kilim/daemon/experiments/stats"
)

// turn is a feed at a rate with some who look on.
type turn struct {
	Round  int     `json:"round"`
	With   string  `json:"with"`
	CPUSec float64 `json:"cpu_seconds"` // of the daemon
	// Freshness is from the record to the acknowledgement of its own update.
	FreshP50 float64 `json:"fresh_p50_ms"`
	FreshP99 float64 `json:"fresh_p99_ms"`
	// Stream and DOM are from the commit to the arrival at a reader of the stream, and to the DOM of a tab.
	StreamP50 float64 `json:"stream_p50_ms,omitempty"`
	StreamP99 float64 `json:"stream_p99_ms,omitempty"`
	DOMP50    float64 `json:"dom_p50_ms,omitempty"`
	DOMP99    float64 `json:"dom_p99_ms,omitempty"`
	// Seen counts the updates that viewers saw, Told the events that one viewer was sent, Missed those that one was too slow for.
	Seen   int `json:"seen"`
	Told   int `json:"told"`
	Missed int `json:"missed"`
	// Slowest are the batches of the turn whose lists came latest, as the daemon tells of them.
	Slowest []daemonproc.SlowBatch `json:"slowest,omitempty"`
}

// Those who look on in a turn.
const (
	alone   = "nobody"
	streams = "streams"
	withTab = "streams and tabs"
)

// turns feeds with nobody, with streams, and with streams and tabs in turn; who begins changes from round to round.
func (r *report) turns(ctx context.Context, a *archive) error {
	kinds := []string{alone, streams, withTab}
	rest := a.rest
	for round := range r.options.rounds {
		for i := range kinds {
			with := kinds[(round+i)%len(kinds)]
			t, err := r.turn(ctx, a, with, rest[:r.options.measure])
			if err != nil {
				return fmt.Errorf("round %d with %s: %w", round+1, with, err)
			}
			t.Round = round + 1
			r.Turns = append(r.Turns, *t)
			rest = rest[r.options.measure:]
		}
	}
	return nil
}

func (r *report) turn(ctx context.Context, a *archive, with string, records []feedfile.Record) (t *turn, err error) {
	file := filepath.Join(r.options.folder(), "turn.jsonl")
	if err := feedfile.Write(file, records); err != nil {
		return nil, err
	}
	t = &turn{With: with}
	readers, tabs := r.options.viewers, 0
	switch with {
	case alone:
		readers = 0
	case withTab:
		readers, tabs = r.options.viewers-r.options.tabs, r.options.tabs
	}
	looking, stop := context.WithCancel(ctx)
	defer stop()
	watching := startStreams(looking, a.instance, readers)
	b := &browser{}
	if tabs > 0 {
		if b, err = openBrowser(looking); err != nil {
			return nil, err
		}
		defer b.close()
	}
	for range tabs {
		if err := b.watchLive("http://" + a.instance.HTTP + "/"); err != nil {
			return nil, err
		}
	}
	committed, err := t.feed(looking, a, file, records, r.options.rate)
	if err != nil {
		return nil, err
	}
	err = settled(looking, func() (bool, error) {
		inDOM, err := b.seen(committed)
		return inDOM == tabs*len(records) && watching.seen(committed) == readers*len(records), err
	})
	stop()
	return t, errors.Join(err, r.collect(t, watching, b, committed, (readers+tabs)*len(records)))
}

// collect takes what viewers have seen of a turn, of so many updates that there were for them together.
func (r *report) collect(t *turn, watching *watching, b *browser, committed map[string]time.Time, wanted int) error {
	if err := watching.end(); err != nil {
		return err
	}
	var arrived, drawn []float64
	for _, s := range watching.streams {
		arrived = append(arrived, since(committed, s.had)...)
		t.Told, t.Missed = max(t.Told, s.told), max(t.Missed, s.missed)
	}
	for _, tab := range b.tabs {
		drawn = append(drawn, since(committed, tab.had)...)
	}
	t.StreamP50, t.StreamP99 = quantiles(arrived)
	t.DOMP50, t.DOMP99 = quantiles(drawn)
	if t.Seen = len(arrived) + len(drawn); t.Seen != wanted {
		r.lost = append(r.lost, fmt.Errorf("with %s viewers have seen %d updates of %d", t.With, t.Seen, wanted))
	}
	return nil
}

// arrival is how long viewers may take for the last updates when all are acknowledged.
const arrival = 10 * time.Second

// settled waits until all is seen; that some is not is told by collect.
func settled(ctx context.Context, seen func() (bool, error)) error {
	for late := time.Now().Add(arrival); time.Now().Before(late); {
		all, err := seen()
		if all || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

// feed feeds the records of a turn until each one's own update is acknowledged, and tells when they were committed.
func (t *turn) feed(ctx context.Context, a *archive, file string, records []feedfile.Record, rate float64) (map[string]time.Time, error) {
	const fresh = "kilim_freshness_seconds"
	before, err := a.instance.Metrics(ctx)
	if err != nil {
		return nil, err
	}
	c, begun := &commits{at: map[string]time.Time{}}, time.Now()
	var group sync.WaitGroup
	group.Go(func() { c.watch(ctx, a.instance, records) })
	_, err = a.instance.Feed(ctx, file, rate)
	if err == nil {
		err = daemonproc.Poll(ctx, 100*time.Millisecond, func() error {
			m, err := a.instance.Metrics(ctx)
			if err != nil {
				return err
			}
			if n := m.Observations(fresh) - before.Observations(fresh); n < uint64(len(records)) {
				return fmt.Errorf("%d updates of %d are acknowledged", n, len(records))
			}
			return nil
		})
	}
	if err != nil {
		return nil, err
	}
	group.Wait()
	after, err := a.instance.Metrics(ctx)
	if err := errors.Join(err, c.err); err != nil {
		return nil, err
	}
	if t.Slowest, err = a.instance.Slowest(ctx, begun); err != nil {
		return nil, err
	}
	t.CPUSec = after.Total("process_cpu_seconds_total") - before.Total("process_cpu_seconds_total")
	for q, into := range map[float64]*float64{0.5: &t.FreshP50, 0.99: &t.FreshP99} {
		seconds, err := after.QuantileSince(before, fresh, q)
		if err != nil {
			return nil, err
		}
		*into = 1000 * seconds
	}
	return c.at, nil
}

// since are the times from the commits of artifacts until somebody had them, in milliseconds.
func since(committed, had map[string]time.Time) (millis []float64) {
	for id, at := range had {
		if from, ok := committed[id]; ok {
			millis = append(millis, max(0, at.Sub(from).Seconds()*1000))
		}
	}
	return millis
}

// commits are the times at which artifacts were committed, none too late.
type commits struct {
	at  map[string]time.Time
	err error
}

// lookEvery is how exactly the time of a commit is known.
const lookEvery = 4 * time.Millisecond

// watch asks for each artifact in turn until it is there: the partition is one, so they are committed in this order, and what is not there at one look was
// committed later, with all that come after it.
func (c *commits) watch(ctx context.Context, daemon *daemonproc.Instance, records []feedfile.Record) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	missing := time.Now()
	for i := 0; i < len(records); {
		asked := time.Now()
		found, err := daemon.Get(ctx, artifactPath(records[i].ID)+"/card", &struct{}{})
		if err != nil {
			c.err = fmt.Errorf("ask whether %s is committed: %w", records[i].ID, err)
			return
		}
		if found {
			c.at[records[i].ID] = missing
			i++
			continue
		}
		missing = asked
		select {
		case <-ctx.Done():
			c.err = context.Cause(ctx)
			return
		case <-tick.C:
		}
	}
}

func quantiles(millis []float64) (p50, p99 float64) {
	if len(millis) == 0 {
		return 0, 0
	}
	return stats.Median(millis), stats.Quantile(millis, 0.99)
}
