package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"kilim/daemon/web"
)

// takeover is what a feed saw under which a model was trained and took over.
type takeover struct {
	p50, p99  float64 // freshness of the feed, in seconds
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
func (l *lab) takeover(ctx context.Context, base, before, feed, stages string, rate float64) (r takeover, err error) {
	ids, err := readIDs(before)
	if err != nil {
		return r, err
	}
	data := l.dir + "/takeover"
	if err := os.CopyFS(data, os.DirFS(base)); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	// All that the state has is new to training: it is due at once.
	d, err := l.start(data, "--train.share", "1", "--train.least", "100", "--train.changes", "0.9", "--train.stages", stages)
	if err != nil {
		return r, err
	}
	err = d.run(ctx, func(ctx context.Context) error {
		if err := d.until(ctx, func(s *web.Status) bool { return s.Ready }); err != nil {
			return err
		}
		start := time.Now()
		reading, stop := context.WithCancel(ctx)
		defer stop()
		feeding, enough := context.WithCancel(ctx)
		defer enough()
		readers := &readers{at: "http://" + d.http, ids: ids, first: map[uint32]time.Time{}, failed: enough, newer: func() { time.AfterFunc(after, enough) }}
		readers.start(reading, 2)
		var err error
		r.fed, err = d.feed(feeding, feed, rate)
		r.feed = time.Since(start).Seconds()
		if err == nil {
			err = d.command(ctx, "status", "--wait", "--http", d.http)
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
		metrics, err := d.metrics(ctx)
		if err != nil {
			return err
		}
		h := metrics["kilim_freshness_seconds"].GetMetric()[0].GetHistogram()
		r.p50, r.p99 = quantile(h, 0.5), quantile(h, 0.99)
		return d.until(ctx, func(s *web.Status) bool {
			r.artifacts = s.Artifacts
			if s.Training != nil && s.Training.Last != nil {
				r.reason = s.Training.Last.Reason
			}
			return true
		})
	})
	if err != nil {
		return r, err
	}
	if r.epoch < 2 || r.served > r.feed {
		return r, fmt.Errorf("no model took over within the %.0f s of the feed (%s): have it longer (-measure) or slower (-rate)", r.feed, r.reason)
	}
	return r, d.command(ctx, "check", "--data", data)
}

// feed feeds a file until it is at its end or ctx ends, and tells how many records were acknowledged.
func (d *daemon) feed(ctx context.Context, file string, rate float64) (fed int, err error) {
	cmd := exec.CommandContext(ctx, d.l.kilim, "feed", file, "--broker", d.broker, "--rate", strconv.FormatFloat(rate, 'f', -1, 64))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var shown, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &shown, &trouble
	if err := cmd.Run(); err != nil && ctx.Err() == nil {
		return 0, fmt.Errorf("%v: %w: %s", cmd.Args, err, trouble.String())
	}
	if _, err := fmt.Sscanf(shown.String(), "%d records acknowledged", &fed); err != nil {
		return 0, fmt.Errorf("%v printed %q: %w", cmd.Args, shown.String(), err)
	}
	return fed, nil
}

// readers ask for lists until they are told to stop.
type readers struct {
	at  string
	ids []string

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
				a, err := r.ask(ctx, r.ids[k%len(r.ids)])
				if ctx.Err() != nil {
					return
				}
				if err == nil && a.Epoch < epoch {
					err = fmt.Errorf("an answer of epoch %d after one of %d", a.Epoch, epoch)
				}
				r.mu.Lock()
				if err != nil {
					r.err = errors.Join(r.err, err)
					r.mu.Unlock()
					r.failed()
					return
				}
				epoch = a.Epoch
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

func (r *readers) ask(ctx context.Context, id string) (*web.Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.at+"/api/v1/artifacts/"+url.PathEscape(id)+"/similar?list=general", nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("similar to %s: %s: %s", id, res.Status, raw)
	}
	a := new(web.Answer)
	return a, json.Unmarshal(raw, a)
}

// readIDs are those of a file of records.
func readIDs(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	lines := bufio.NewScanner(f)
	for lines.Buffer(nil, 16<<20); lines.Scan(); {
		var record struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, record.ID)
	}
	return out, lines.Err()
}
