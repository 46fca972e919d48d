package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sony/gobreaker/v2"

	"kilim/internal/redact"
	"kilim/learner/encode/feature"
)

// requestBytes bounds the bytes of the items of a request.
const requestBytes = 8 << 20

// Encoder asks a server. It is safe for concurrent use.
type Encoder struct {
	cfg      Config
	endpoint string
	client   *http.Client
	breaker  *gobreaker.CircuitBreaker[[]feature.Result]
	slots    chan struct{} // one for each request under way
	observer Observer
	log      *slog.Logger
	last     atomic.Pointer[failure] // for the log
	encoded  atomic.Bool             // the server has made a vector since the start
}

var _ feature.Encoder = (*Encoder)(nil)

// New reads the files that cfg names and asks nothing yet. A nil observer and a nil log are
// silent.
func New(cfg Config, observer Observer, log *slog.Logger) (*Encoder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	if observer == nil {
		observer = silent{}
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if err := readHeaders(cfg.HeaderFile, http.Header{}); err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	client, err := newClient(&cfg)
	if err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	e := &Encoder{cfg: cfg, client: client, slots: make(chan struct{}, cfg.Concurrency), observer: observer, log: log}
	if e.endpoint, err = cfg.endpoint(); err != nil {
		return nil, fmt.Errorf("remote: url: %w", redact.Error(err))
	}
	e.breaker = e.newBreaker()
	observer.Breaker(Closed)
	return e, nil
}

// Close closes the connections that are idle.
func (e *Encoder) Close() { e.client.CloseIdleConnections() }

// Identity is the configured one.
func (e *Encoder) Identity() feature.Identity { return e.cfg.Identity() }

// Encode asks the server for the vectors of the items, in as many requests as they need. It
// returns when all are answered or have failed, or ctx ends. Each request may take Config.Timeout
// four times, with waits of a minute at most between.
func (e *Encoder) Encode(ctx context.Context, items []feature.Item) []feature.Result {
	results := make([]feature.Result, len(items))
	var group sync.WaitGroup
	for _, batch := range e.batches(items, results) {
		group.Go(func() { e.run(ctx, items, batch, results) })
	}
	group.Wait()
	for i := range results {
		results[i].Err = e.verdict(results[i].Err)
	}
	return results
}

// batches puts the items that can be asked for together, by their places, and answers the others.
func (e *Encoder) batches(items []feature.Item, results []feature.Result) [][]int {
	var out [][]int
	var batch []int
	size := 0
	for i := range items {
		if refusal := e.check(&items[i]); refusal != nil {
			results[i].Err = refusal
			continue
		}
		n := len(items[i].Data) + len(items[i].Text)
		if len(batch) == e.cfg.Batch || len(batch) > 0 && size+n > requestBytes {
			out = append(out, batch)
			batch, size = nil, 0
		}
		batch = append(batch, i)
		size += n
	}
	if len(batch) > 0 {
		out = append(out, batch)
	}
	return out
}

func (e *Encoder) check(item *feature.Item) *feature.Refusal {
	switch {
	case item.Kind != e.cfg.Modality:
		return feature.Refuse(feature.ReasonUnsupported, "%s, by an encoder of %s", item.Kind, e.cfg.Modality)
	case item.Kind == "text" && strings.TrimSpace(item.Text) == "":
		return feature.Refuse(feature.ReasonEmpty, "no text")
	case item.Kind != "text" && len(item.Data) == 0:
		return feature.Refuse(feature.ReasonEmpty, "no bytes")
	}
	return nil
}

// run waits for its turn and asks for a batch.
func (e *Encoder) run(ctx context.Context, items []feature.Item, batch []int, results []feature.Result) {
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		for _, i := range batch {
			results[i].Err = fmt.Errorf("remote: %w", context.Cause(ctx))
		}
		return
	}
	e.ask(ctx, items, batch, results)
}

// ask asks for a batch, in halves where the fault may be one item's.
func (e *Encoder) ask(ctx context.Context, items []feature.Item, batch []int, results []feature.Result) {
	asked := make([]feature.Item, len(batch))
	for k, i := range batch {
		asked[k] = items[i]
	}
	answers, err := e.request(ctx, asked)
	if err == nil {
		for k, i := range batch {
			results[i] = answers[k]
		}
		e.encoded.Store(true)
		return
	}
	var f *failure
	if errors.As(err, &f) && f.split {
		half := len(batch) / 2
		e.ask(ctx, items, batch[:half], results)
		e.ask(ctx, items, batch[half:], results)
		return
	}
	for _, i := range batch {
		results[i].Err = err
	}
}

// verdict makes a rejection permanent where the server is known to take others.
func (e *Encoder) verdict(err error) error {
	var f *failure
	switch {
	case !errors.As(err, &f) || f.outcome != outcomeRejected:
		return err
	case !e.encoded.Load():
		return fmt.Errorf("%w (it has not encoded anything yet: is it set up for this?)", err)
	}
	return feature.Refuse(feature.ReasonRejected, "%v", err)
}
