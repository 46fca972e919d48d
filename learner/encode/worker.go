package encode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"kilim/graphstore"
	"kilim/learner/encode/feature"
)

// Lane is how the media of one modality are encoded.
type Lane struct {
	Kind    string
	Encoder feature.Encoder
	// Batch is the number of items given to the encoder at once, Concurrency that of calls under way; both at most.
	Batch, Concurrency int
}

// Config bounds the work of a Worker.
type Config struct {
	Lanes []Lane
	// ItemBytes is the most that the fetcher brings for one item, InFlightBytes the most that is kept
	// of all that were fetched and are not encoded yet.
	ItemBytes, InFlightBytes int64
	Retry                    Retry
}

// DefaultRetry is for what is out of our hands: servers come back within minutes or within days.
func DefaultRetry() Retry { return Retry{First: time.Second, Most: 5 * time.Minute} }

// Worker encodes what is in a queue.
type Worker struct {
	cfg     Config
	queue   *Queue
	state   State
	fetcher Fetcher
	metrics *Metrics
	log     *slog.Logger
	bytes   *semaphore.Weighted
	answers chan request

	mu     sync.Mutex
	claims map[claimed]*claim
}

// claimed is a content that is being encoded; the others that have it wait for the one who encodes.
type claimed struct {
	kind    string
	content graphstore.Content
}

type claim struct{ followers []*entry }

// request is some answers on their way into the state.
type request struct {
	answers []Answer
	done    chan error
}

// NewWorker returns a worker. Each lane's modality must be one of the queue's.
func NewWorker(cfg Config, queue *Queue, state State, fetcher Fetcher, metrics *Metrics, log *slog.Logger) (*Worker, error) {
	for _, l := range cfg.Lanes {
		if queue.lanes[l.Kind] == nil || l.Encoder == nil || l.Batch < 1 || l.Concurrency < 1 {
			return nil, fmt.Errorf("encode: lane %q with batch %d and concurrency %d: want a modality of the queue, an encoder, and 1 or more of each", l.Kind, l.Batch, l.Concurrency)
		}
	}
	if cfg.ItemBytes < 1 || cfg.InFlightBytes < cfg.ItemBytes {
		return nil, fmt.Errorf("encode: %d bytes in flight for items of up to %d: want room for one", cfg.InFlightBytes, cfg.ItemBytes)
	}
	if cfg.Retry.First <= 0 || cfg.Retry.Most < cfg.Retry.First {
		return nil, fmt.Errorf("encode: retry after %v to %v: want more than 0, ascending", cfg.Retry.First, cfg.Retry.Most)
	}
	return &Worker{
		cfg: cfg, queue: queue, state: state, fetcher: fetcher, metrics: metrics, log: log,
		bytes: semaphore.NewWeighted(cfg.InFlightBytes), answers: make(chan request), claims: map[claimed]*claim{},
	}, nil
}

// Run works until ctx ends, or until the state fails. Another worker may then go on with the queue, not before.
func (w *Worker) Run(ctx context.Context) error {
	defer w.queue.putAllBack()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.answer(ctx) })
	for _, l := range w.cfg.Lanes {
		g.Go(func() error {
			return (&lane{Lane: l, w: w, identity: l.Encoder.Identity().String(), calls: semaphore.NewWeighted(int64(l.Concurrency))}).run(ctx)
		})
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// mostAnswers bounds what is given to the state at once: others wait for its units. Fewer wait for more to come for
// company, for each commit has its cost.
const (
	mostAnswers = 64
	company     = 100 * time.Millisecond
)

// answer gives the answers to the state, several at once.
func (w *Worker) answer(ctx context.Context) error {
	for {
		var together []request
		var all []Answer
		add := func(r request) { together, all = append(together, r), append(all, r.answers...) }
		select {
		case <-ctx.Done():
			return ctx.Err()
		case r := <-w.answers:
			add(r)
		}
		enough := time.NewTimer(company)
	more:
		for len(all) < mostAnswers {
			select {
			case r := <-w.answers:
				add(r)
			case <-enough.C:
				break more
			}
		}
		enough.Stop()
		err := w.state.Answer(ctx, all)
		for _, r := range together {
			r.done <- err
		}
		if err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		for _, a := range all {
			w.metrics.answered(&a)
		}
	}
}

// submit returns when answers are durable.
func (w *Worker) submit(ctx context.Context, answers []Answer) error {
	r := request{answers, make(chan error, 1)}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case w.answers <- r:
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-r.done:
		return err
	}
}

// claim takes a content for an entry. When another has it already, the entry gets the answer of that one.
func (w *Worker) claim(c claimed, e *entry) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if have := w.claims[c]; have != nil {
		have.followers = append(have.followers, e)
		return false
	}
	w.claims[c] = &claim{}
	return true
}

// followers takes those that wait for a content; when there are none, the claim ends.
func (w *Worker) followers(c claimed) []*entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.claims[c].followers
	w.claims[c].followers = nil
	if len(f) == 0 {
		delete(w.claims, c)
	}
	return f
}

// unclaim gives a content up: each of those that wait for it tries by itself.
func (w *Worker) unclaim(c claimed) {
	for f := w.followers(c); len(f) > 0; f = w.followers(c) {
		for _, e := range f {
			w.queue.putBack(e)
		}
	}
}

// waitFor returns after d, or when ctx ends or done is closed.
func waitFor(ctx context.Context, d time.Duration, done <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-done:
	case <-t.C:
	}
}
