package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sony/gobreaker/v2"

	"kilim/internal/redact"
	"kilim/learner/encode/feature"
)

// ErrOpen is the answer while the server is left alone after failures.
var ErrOpen = errors.New("remote: the server failed several times and is left alone for a while")

const (
	tries        = 4
	firstWait    = 500 * time.Millisecond
	longestWait  = 10 * time.Second
	longestAfter = time.Minute // that a Retry-After is waited for
	// failuresToOpen is above tries: one request that fails throughout does not stop the others.
	failuresToOpen = 5
	openFor        = 15 * time.Second
)

// Outcomes of a request.
const (
	outcomeOK       = "ok"
	outcomeRejected = "rejected"     // it holds something that the server will not take
	outcomeLimited  = "limited"      // 429
	outcomeServer   = "server_error" // 5xx, 408
	outcomeSettings = "settings"     // another status: a matter of the settings on one side
	outcomeReply    = "bad_reply"
	outcomeTimeout  = "timeout"
	outcomeNetwork  = "network"
	outcomeCanceled = "canceled" // by the caller
)

func outcomes() []string {
	return []string{outcomeOK, outcomeRejected, outcomeLimited, outcomeServer, outcomeSettings, outcomeReply, outcomeTimeout, outcomeNetwork, outcomeCanceled}
}

// failure is a request that brought no vectors.
type failure struct {
	outcome string
	err     error
	repeat  bool // the same request may succeed after a wait
	split   bool // the fault may be one item's
	after   time.Duration
}

func (f *failure) Error() string { return f.err.Error() }

// Unwrap also gives what makes backoff wait for as long as the server says.
func (f *failure) Unwrap() []error {
	if f.repeat && f.after > 0 {
		return []error{f.err, &backoff.RetryAfterError{Duration: f.after}}
	}
	return []error{f.err}
}

// request asks for the vectors of items, again where that may help.
func (e *Encoder) request(ctx context.Context, items []feature.Item) ([]feature.Result, error) {
	payload, err := body(&e.cfg, items)
	if err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.Multiplier, waits.MaxInterval, waits.RandomizationFactor = firstWait, 2, longestWait, 0.5
	results, err := backoff.Retry(ctx, func() ([]feature.Result, error) {
		results, err := e.breaker.Execute(func() ([]feature.Result, error) { return e.observed(ctx, payload, len(items)) })
		if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
			return nil, backoff.Permanent(e.open())
		}
		var f *failure
		if errors.As(err, &f) && !f.repeat {
			return nil, backoff.Permanent(err)
		}
		return results, err
	}, backoff.WithBackOff(waits), backoff.WithMaxTries(tries), backoff.WithMaxElapsedTime(0))
	if err != nil && ctx.Err() != nil { // it may have ended in a wait, of which the error says nothing
		return nil, fmt.Errorf("remote: %w", context.Cause(ctx))
	}
	return results, err
}

// observed is one request, told to the observer.
func (e *Encoder) observed(ctx context.Context, payload []byte, n int) ([]feature.Result, error) {
	start := time.Now()
	results, err := e.once(ctx, payload, n)
	outcome := outcomeOK
	var f *failure
	if errors.As(err, &f) {
		outcome = f.outcome
		if !wellServed(outcome) && outcome != outcomeCanceled {
			e.last.Store(f)
		}
	}
	e.observer.Request(outcome, time.Since(start))
	return results, err
}

// once is one request of n items. The error is a *failure.
func (e *Encoder) once(ctx context.Context, payload []byte, n int) ([]feature.Result, error) {
	limited, cancel := context.WithTimeout(ctx, e.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, http.MethodPost, e.endpoint, bytes.NewReader(payload))
	if err != nil {
		return nil, &failure{outcome: outcomeSettings, err: fmt.Errorf("remote: %w", redact.Error(err))}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "kilim")
	if err := readHeaders(e.cfg.HeaderFile, req.Header); err != nil {
		return nil, &failure{outcome: outcomeSettings, err: fmt.Errorf("remote: %w", err)}
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, lost(ctx, limited, redact.Error(err))
	}
	defer resp.Body.Close()
	most := replyBytes(e.cfg.Dim, n)
	reply, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if resp.StatusCode != http.StatusOK {
		return nil, refused(resp, reply, n)
	}
	if err != nil {
		return nil, lost(ctx, limited, err)
	}
	if int64(len(reply)) > most {
		return nil, badReply(n, fmt.Errorf("reply: more than %d bytes for %d vectors of %d numbers", most, n, e.cfg.Dim))
	}
	return e.read(reply, n)
}

// read checks a reply. When none of several vectors can be used, the whole of it can't.
func (e *Encoder) read(reply []byte, n int) ([]feature.Result, error) {
	raws, err := vectors(e.cfg.Kind, reply, n)
	if err != nil {
		return nil, badReply(n, err)
	}
	results := make([]feature.Result, n)
	var good int
	for i, raw := range raws {
		if results[i].Vector, err = vector(raw, e.cfg.Dim); err != nil {
			results[i].Err = fmt.Errorf("remote: %w", err)
			continue
		}
		good++
	}
	if good == 0 {
		return nil, &failure{outcome: outcomeReply, err: results[0].Err}
	}
	return results, nil
}

func badReply(n int, err error) *failure {
	return &failure{outcome: outcomeReply, err: fmt.Errorf("remote: %w", err), split: n > 1}
}

// lost is a request without a whole answer.
func lost(ctx, limited context.Context, err error) *failure {
	switch {
	case ctx.Err() != nil:
		return &failure{outcome: outcomeCanceled, err: fmt.Errorf("remote: %w", context.Cause(ctx))}
	case limited.Err() != nil:
		return &failure{outcome: outcomeTimeout, err: fmt.Errorf("remote: no answer in time: %w", err), repeat: true}
	}
	return &failure{outcome: outcomeNetwork, err: fmt.Errorf("remote: %w", err), repeat: true}
}

// refused is an answer of another status than 200.
func refused(resp *http.Response, reply []byte, n int) *failure {
	f := &failure{err: fmt.Errorf("remote: the server answers %s: %s", resp.Status, shown(bytes.TrimSpace(reply)))}
	switch code := resp.StatusCode; code {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		f.outcome, f.split = outcomeRejected, n > 1
		return f
	case http.StatusTooManyRequests:
		f.outcome, f.repeat = outcomeLimited, true
	case http.StatusInternalServerError:
		f.outcome, f.split, f.repeat = outcomeServer, n > 1, n == 1
	default:
		if code < 500 && code != http.StatusRequestTimeout {
			f.outcome = outcomeSettings
			return f
		}
		f.outcome, f.repeat = outcomeServer, true
	}
	if f.after = retryAfter(resp.Header.Get("Retry-After")); f.after > longestAfter {
		f.repeat = false
		f.err = fmt.Errorf("%w; it wants to be left alone for %v", f.err, f.after)
	}
	return f
}

// retryAfter reads seconds or a date (RFC 9110, section 10.2.3); 0 when there is neither.
func retryAfter(text string) time.Duration {
	const most = 24 * time.Hour
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, most)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(at), 0), most)
	}
	return 0
}

// newBreaker opens after failures of the server. Rejections and limits are answers of one
// that is well; a request that is split tells nothing until its parts are tried.
func (e *Encoder) newBreaker() *gobreaker.CircuitBreaker[[]feature.Result] {
	outcome := func(err error) (string, bool) {
		var f *failure
		if !errors.As(err, &f) {
			return outcomeOK, false
		}
		return f.outcome, f.split
	}
	return gobreaker.NewCircuitBreaker[[]feature.Result](gobreaker.Settings{
		Timeout:     openFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failuresToOpen },
		IsExcluded: func(err error) bool {
			is, split := outcome(err)
			return is == outcomeCanceled || split && is != outcomeRejected
		},
		IsSuccessful: func(err error) bool {
			is, _ := outcome(err)
			return wellServed(is)
		},
		OnStateChange: e.breakerMoved,
	})
}

// wellServed tells whether an outcome is an answer of a server that is well.
func wellServed(outcome string) bool {
	return outcome == outcomeOK || outcome == outcomeRejected || outcome == outcomeLimited
}

// open is ErrOpen with what the server failed by. That is only told, and not in the error's
// chain: it is of another request.
func (e *Encoder) open() error { return fmt.Errorf("%w, after %v", ErrOpen, e.last.Load()) }

func (e *Encoder) breakerMoved(_ string, _, to gobreaker.State) {
	switch to {
	case gobreaker.StateOpen:
		e.observer.Breaker(Open)
		e.log.Warn("the encoder's server fails and is left alone", "url", redact.URL(e.endpoint), "for", openFor, "error", e.last.Load())
	case gobreaker.StateHalfOpen:
		e.observer.Breaker(HalfOpen)
	case gobreaker.StateClosed:
		e.observer.Breaker(Closed)
		e.log.Info("the encoder's server answers again", "url", redact.URL(e.endpoint))
	}
}
