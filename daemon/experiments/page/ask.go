package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// asked is what one kind of request took.
type asked struct {
	Request string    `json:"request"` // view and what it asks for
	Millis  []float64 `json:"-"`
	P50     float64   `json:"p50_ms"`
	P99     float64   `json:"p99_ms"`
	Longest float64   `json:"longest_ms"`
	Bytes   int       `json:"bytes"` // of the largest answer
	N       int       `json:"n"`
}

// viewed is the processor time of the daemon while a view was asked for.
type viewed struct {
	View  string  `json:"view"`
	Views int     `json:"views"`
	CPUMs float64 `json:"cpu_ms"` // of each
}

const blockViews = 25

// ask asks for each view in turn, in blocks.
func (r *report) ask(ctx context.Context, a *archive) error {
	v := &visitor{archive: a, home: "http://" + a.instance.HTTP, kinds: map[string]*asked{}}
	rng := rand.New(rand.NewPCG(r.options.seed, 1))
	used := map[string]*viewed{}
	for range r.options.blocks {
		for _, view := range views() {
			before, err := a.cpu(ctx)
			if err != nil {
				return err
			}
			if err := v.block(ctx, view, r.options.askers, rng); err != nil {
				return err
			}
			after, err := a.cpu(ctx)
			if err != nil {
				return err
			}
			u := used[view.name]
			if u == nil {
				u = &viewed{View: view.name}
				used[view.name] = u
			}
			u.Views += blockViews
			u.CPUMs += 1000 * (after - before)
		}
	}
	for _, view := range views() {
		if u := used[view.name]; u != nil {
			u.CPUMs /= float64(u.Views)
			r.Views = append(r.Views, *u)
		}
	}
	r.Requests = v.all
	return nil
}

// cpu is the daemon's processor time in seconds.
func (a *archive) cpu(ctx context.Context) (float64, error) {
	m, err := a.instance.Metrics(ctx)
	return m.Total("process_cpu_seconds_total"), err
}

// visitor asks for views, and notes how long each request took. It is safe for concurrent use.
type visitor struct {
	archive *archive
	home    string
	client  http.Client

	lock  sync.Mutex
	kinds map[string]*asked
	all   []*asked
}

// block is blockViews times a view, by so many at the same time.
func (v *visitor) block(ctx context.Context, view view, askers int, rng *rand.Rand) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	seeds := make(chan uint64)
	var group sync.WaitGroup
	for range askers {
		group.Go(func() {
			for seed := range seeds {
				if err := view.ask(ctx, v, rand.New(rand.NewPCG(seed, 2))); err != nil {
					cancel(fmt.Errorf("view %s: %w", view.name, err))
				}
			}
		})
	}
	for range blockViews {
		seeds <- rng.Uint64()
	}
	close(seeds)
	group.Wait()
	return context.Cause(ctx)
}

// get asks for a path until the end of the answer, and decodes it into what is not nil.
func (v *visitor) get(ctx context.Context, kind, path string, into any) error {
	return v.timed(ctx, kind, path, func(body io.Reader) (n int, err error) {
		b, err := io.ReadAll(body)
		if err == nil && into != nil {
			err = json.Unmarshal(b, into)
		}
		return len(b), err
	})
}

// first asks for a stream until the first event is there.
func (v *visitor) first(ctx context.Context, kind, path string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream
	return v.timed(ctx, kind, path, func(body io.Reader) (n int, err error) {
		line, err := bufio.NewReader(body).ReadString('\n')
		return len(line), err
	})
}

func (v *visitor) timed(ctx context.Context, kind, path string, read func(io.Reader) (int, error)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.home+path, nil)
	if err != nil {
		return err
	}
	start := time.Now()
	res, err := v.client.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer res.Body.Close()
	n, err := read(res.Body)
	took := time.Since(start)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s", res.Status)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	v.note(kind, took, n)
	return nil
}

func (v *visitor) note(kind string, took time.Duration, bytes int) {
	v.lock.Lock()
	defer v.lock.Unlock()
	a := v.kinds[kind]
	if a == nil {
		a = &asked{Request: kind}
		v.kinds[kind] = a
		v.all = append(v.all, a)
	}
	a.Millis = append(a.Millis, took.Seconds()*1000)
	a.Bytes = max(a.Bytes, bytes)
}
