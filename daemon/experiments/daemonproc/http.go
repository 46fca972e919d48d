package daemonproc

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Get decodes the JSON that the daemon answers for a path. Get returns false for what is not there (404).
func (i *Instance) Get(ctx context.Context, path string, into any) (found bool, err error) {
	res, err := i.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return false, nil
	}
	if err := expect(res, http.StatusOK); err != nil {
		return false, err
	}
	body, err := io.ReadAll(res.Body) // to its end, or the connection could not be used again
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		return false, fmt.Errorf("daemonproc: GET %s: %w", path, err)
	}
	return true, nil
}

// SlowBatch is a batch whose lists came late, as the daemon tells of it: what its time went to, in seconds.
type SlowBatch struct {
	Records  int                `json:"records"`
	Fresh    float64            `json:"fresh_seconds"`
	Before   float64            `json:"before_seconds"`
	Turn     float64            `json:"turn_seconds"`
	Applied  float64            `json:"applied_seconds"`
	Delivery float64            `json:"delivery_seconds"`
	Stages   map[string]float64 `json:"stage_seconds"`
}

// Slowest are the slowest batches since a time, the slowest first.
func (i *Instance) Slowest(ctx context.Context, since time.Time) ([]SlowBatch, error) {
	var answer struct {
		Batches []SlowBatch `json:"batches"`
	}
	_, err := i.Get(ctx, "/api/v1/slowest?since="+url.QueryEscape(since.UTC().Format(time.RFC3339)), &answer)
	return answer.Batches, err
}

// Told says where the time of batches went, in milliseconds, with what took most of it while they were applied.
func Told(batches []SlowBatch) string {
	out := make([]string, len(batches))
	for i, b := range batches {
		longest := ""
		for _, stage := range slices.Sorted(maps.Keys(b.Stages)) {
			if longest == "" || b.Stages[stage] > b.Stages[longest] {
				longest = stage
			}
		}
		out[i] = fmt.Sprintf("%.0f (%.0f + %.0f + %.0f, of which %s %.0f, + %.0f)", b.Fresh*1e3, b.Before*1e3, b.Turn*1e3, b.Applied*1e3, longest, b.Stages[longest]*1e3, b.Delivery*1e3)
	}
	return strings.Join(out, "; ")
}

// Post asks for something to be done, without a body. The daemon must answer that it will (202).
func (i *Instance) Post(ctx context.Context, path string) error {
	res, err := i.do(ctx, http.MethodPost, path, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return expect(res, http.StatusAccepted)
}

func (i *Instance) do(ctx context.Context, method, path string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+i.HTTP+path, nil)
	if err != nil {
		return nil, fmt.Errorf("daemonproc: %s %s: %w", method, path, err)
	}
	if header != nil {
		req.Header = header
	}
	res, err := i.client.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause // tells why the daemon has ended, where the request knows only that it was cut off
		}
		return nil, fmt.Errorf("daemonproc: %s %s: %w", method, path, err)
	}
	return res, nil
}

// expect fails with what the daemon says when its answer is not of the status wanted.
func expect(res *http.Response, status int) error {
	if res.StatusCode == status {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, tailBytes))
	if err != nil {
		return fmt.Errorf("daemonproc: %s %s: %s: %w", res.Request.Method, res.Request.URL.Path, res.Status, err)
	}
	return fmt.Errorf("daemonproc: %s %s: %s: %s", res.Request.Method, res.Request.URL.Path, res.Status, body)
}

// Status is what experiments read of the daemon's status.
type Status struct {
	Ready        bool  `json:"ready"`
	Artifacts    int   `json:"artifacts"`
	Assigned     bool  `json:"assigned"`
	Lag          int64 `json:"lag"`
	RefreshQueue int   `json:"refresh_queue"`
	Outbox       int   `json:"outbox"`
	Training     *struct {
		Phase string `json:"phase"`
		Step  int    `json:"step"`
		Last  *struct {
			Reason string `json:"reason"`
		} `json:"last"`
	} `json:"training"`
}

// Look is one look at a daemon's status, asked for at one time and answered at another.
type Look struct {
	Asked, Answered time.Time
	Status          *Status // nil: there was no answer
}

// Watch looks at the status every so often until wanted says that a Look is the one. A daemon may need a while until it
// answers at all, so that it does not answer ends Watch only together with ctx: see Process.Alive.
func (i *Instance) Watch(ctx context.Context, every time.Duration, wanted func(Look) bool) error {
	return Poll(ctx, every, func() error {
		l := Look{Asked: time.Now(), Status: new(Status)}
		_, err := i.Get(ctx, "/api/v1/status", l.Status)
		l.Answered = time.Now()
		if err != nil {
			l.Status = nil
		}
		switch {
		case wanted(l):
			return nil
		case err != nil:
			return err
		}
		return fmt.Errorf("the status is %+v", *l.Status)
	})
}

// readyEvery is the time between two questions whether a daemon is ready.
const readyEvery = 10 * time.Millisecond

// Ready waits until the daemon answers queries.
func (i *Instance) Ready(ctx context.Context) error {
	return Poll(ctx, readyEvery, func() error {
		res, err := i.do(ctx, http.MethodGet, "/-/ready", nil)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		return expect(res, http.StatusOK)
	})
}

// Poll calls look every so often until look returns no error: an error is what is still missing. When ctx ends first, Poll
// fails with the last of them.
func Poll(ctx context.Context, every time.Duration, look func() error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		missing := look()
		if missing == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("daemonproc: waited: %w (%w)", context.Cause(ctx), missing)
		case <-tick.C:
		}
	}
}
