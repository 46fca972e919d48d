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
	done    chan error // nil when nobody waits for them
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

// mostVectors bounds what is given to the state at once: others wait for its units. Fewer wait for more to come for
// company, for each commit has its cost.
//
// Refusals change no features, so nobody waits for them: they have patience, go along with the first vectors that come, and are
// up to mostRefusals, which take about as long as the vectors. A crash meanwhile leaves them as questions, which are asked again.
const (
	mostVectors  = 64
	mostRefusals = 256
	company      = 100 * time.Millisecond
	patience     = time.Second
)

// answer gives the answers to the state, several at once.
func (w *Worker) answer(ctx context.Context) error {
	for {
		together, err := w.collect(ctx)
		if err != nil {
			return err
		}
		var all []Answer
		for _, r := range together {
			all = append(all, r.answers...)
		}
		err = w.state.Answer(ctx, all)
		for _, r := range together {
			if r.done != nil {
				r.done <- err
			}
		}
		if err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		for _, a := range all {
			w.metrics.answered(&a)
		}
	}
}

// collect waits for answers, and for others to go with them.
func (w *Worker) collect(ctx context.Context) (together []request, err error) {
	var enough <-chan time.Time // nil until there is a first one
	hurry := false
	vectors, refusals := 0, 0
	for vectors < mostVectors && refusals < mostRefusals {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-enough:
			return together, nil
		case r := <-w.answers:
			together = append(together, r)
			with := withVector(r.answers)
			vectors, refusals = vectors+with, refusals+len(r.answers)-with
			switch {
			case r.done != nil && !hurry:
				hurry, enough = true, time.After(company)
			case enough == nil:
				enough = time.After(patience)
			}
		}
	}
	return together, nil
}

// withVector counts the answers that have one.
func withVector(answers []Answer) (n int) {
	for i := range answers {
		if answers[i].Vector != nil {
			n++
		}
	}
	return n
}

// submit returns when answers are durable, or, where no vector is among them, when Worker.answer has taken them: their tasks stay taken
// until they are durable.
func (w *Worker) submit(ctx context.Context, answers []Answer) error {
	r := request{answers: answers}
	if withVector(answers) > 0 {
		r.done = make(chan error, 1)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case w.answers <- r:
	}
	if r.done == nil {
		return nil
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
