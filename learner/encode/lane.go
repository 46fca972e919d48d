package encode

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"kilim/graphstore"
	"kilim/learner/encode/feature"
)

// While some batches are encoded others are fetched and made durable: ahead is how many, by the number of calls. And many
// media need no call, being refused or known: so small batches are under way for underWay of them besides.
const (
	ahead    = 2
	underWay = 32
)

// mostRest is the longest that an encoder which failed is left alone. One call now and then is no burden to a server that
// is ill, and when it is well again, everything waits for this.
const mostRest = 30 * time.Second

// lane is one modality at work.
type lane struct {
	Lane
	w        *Worker
	identity string
	calls    *semaphore.Weighted

	mu sync.Mutex
	// rest is until when the encoder is left alone; over is closed when that ends earlier.
	rest time.Time
	over chan struct{}
}

// job is an entry with what was found out about it.
type job struct {
	*entry
	item    feature.Item
	size    int64 // reserved of Config.InFlightBytes
	content graphstore.Content
}

func (l *lane) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(1 + (1+ahead)*l.Concurrency + underWay/l.Batch)
	g.Go(func() error {
		for ctx.Err() == nil {
			l.await(ctx)
			batch, wait := l.w.queue.take(l.Kind, l.Batch, time.Now())
			if len(batch) == 0 {
				l.idle(ctx, wait)
				continue
			}
			g.Go(func() error { return l.do(ctx, batch) })
		}
		return nil
	})
	return g.Wait()
}

// idle waits until there may be something to do.
func (l *lane) idle(ctx context.Context, wait time.Duration) {
	var due <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ctx.Done():
	case <-due:
	case <-l.w.queue.lanes[l.Kind].changed:
	}
}

// await waits while the encoder is left alone.
func (l *lane) await(ctx context.Context) {
	for ctx.Err() == nil {
		l.mu.Lock()
		d, over := time.Until(l.rest), l.over
		l.mu.Unlock()
		if d <= 0 {
			return
		}
		waitFor(ctx, d, over)
	}
}

// do takes a batch all the way. An error is one of the state, and final.
func (l *lane) do(ctx context.Context, batch []*entry) error {
	jobs, answers, err := l.gather(ctx, batch)
	defer func() {
		for _, j := range jobs {
			l.w.bytes.Release(j.size)
		}
	}()
	if err != nil {
		return err
	}
	var ask []*job
	var mine []claimed
	for _, j := range jobs {
		c := claimed{l.Kind, j.content}
		if !l.w.claim(c, j.entry) {
			continue
		}
		mine = append(mine, c)
		vec, err := l.w.state.Vector(j.content, l.identity)
		if err != nil {
			return err
		}
		if vec != nil {
			answers = append(answers, l.answer(j, vec, nil))
			continue
		}
		ask = append(ask, j)
	}
	encoded, err := l.encode(ctx, ask)
	if err != nil {
		return err
	}
	answers = append(answers, encoded...)
	return l.settle(ctx, answers, mine)
}

// settle makes answers durable, then those of the others that have the same contents: mine are the contents claimed.
func (l *lane) settle(ctx context.Context, answers []Answer, mine []claimed) error {
	by := map[graphstore.Content]Answer{}
	for _, a := range answers {
		by[a.Content] = a
	}
	var answered []claimed
	for _, c := range mine {
		if _, ok := by[c.content]; ok {
			answered = append(answered, c)
		} else {
			l.w.unclaim(c)
		}
	}
	for len(answers) > 0 {
		if err := l.w.submit(ctx, answers); err != nil {
			return err
		}
		answers = nil
		answered = slices.DeleteFunc(answered, func(c claimed) bool {
			followers := l.w.followers(c)
			for _, e := range followers {
				same := by[c.content]
				same.Task = e.Task
				answers = append(answers, same)
			}
			return len(followers) == 0
		})
	}
	return nil
}

// encode asks the encoder. What fails is back in the queue afterwards.
func (l *lane) encode(ctx context.Context, jobs []*job) ([]Answer, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	if err := l.calls.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer l.calls.Release(1)
	l.await(ctx) // another call may have failed meanwhile
	items := make([]feature.Item, len(jobs))
	for i, j := range jobs {
		items[i] = j.item
	}
	start := time.Now()
	results := l.Encoder.Encode(ctx, items)
	l.w.metrics.took(l.Kind, stepEncode, start)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var answers []Answer
	var bad error
	for i, j := range jobs {
		err := fmt.Errorf("the encoder answered %d of %d items", len(results), len(jobs))
		if i < len(results) {
			if err = results[i].Err; err == nil {
				err = l.verify(results[i].Vector)
			}
		}
		refusal, refused := feature.AsRefusal(err)
		switch {
		case refused:
			answers = append(answers, l.answer(j, nil, refusal))
		case err != nil:
			bad = err
			l.fail(ctx, j, stepEncode, err)
		default:
			answers = append(answers, l.answer(j, results[i].Vector, nil))
		}
	}
	l.report(start, bad, len(answers) > 0)
	return answers, nil
}

// verify refuses what no encoder of this identity gives.
func (l *lane) verify(vec []float32) error {
	if want := l.Encoder.Identity().Dim; len(vec) != want {
		return fmt.Errorf("a vector of %d numbers, want %d", len(vec), want)
	}
	for i, x := range vec {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fmt.Errorf("number %d of the vector is %v", i, x)
		}
	}
	return nil
}

// report tells the lane how a call went that began at start. One that goes well ends the rest for which another asked: of
// several calls to a server that comes back, a circuit breaker may let one through.
func (l *lane) report(start time.Time, bad error, some bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bad == nil || some {
		if time.Now().Before(l.rest) {
			l.rest = time.Time{}
			close(l.over)
		}
		l.w.queue.encoderWorks(l.Kind)
		return
	}
	if start.Before(l.rest) {
		return // under way when another one failed: that is one outage
	}
	d := min(l.w.queue.encoderFailed(l.Kind, l.w.cfg.Retry), mostRest)
	l.rest, l.over = time.Now().Add(d), make(chan struct{})
	l.w.log.Warn("an encoder failed; what it was asked waits", "kind", l.Kind, "encoder", l.identity, "again_in", d, "err", bad)
}

// fail puts a job back, to be tried again.
func (l *lane) fail(ctx context.Context, j *job, step string, err error) {
	if ctx.Err() != nil {
		return // the daemon stops
	}
	l.w.metrics.failed(l.Kind, step)
	if held := l.w.queue.failed(j.entry, time.Now(), l.w.cfg.Retry); held {
		l.w.log.Warn("a medium can't be had; it is tried again and again", "kind", l.Kind, "node", fmt.Sprintf("%016x", uint64(j.Node)), "step", step, "err", err)
	}
}

func (l *lane) answer(j *job, vec []float32, r *feature.Refusal) Answer {
	return Answer{Task: j.Task, Content: j.content, Vector: vec, Refusal: r, Encoder: l.identity}
}
