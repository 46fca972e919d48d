package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"kilim/daemon/experiments/daemonproc"
)

// watching are viewers without a browser.
type watching struct {
	streams []*stream
	group   sync.WaitGroup
}

// stream is one viewer: a reader of the events that the page follows.
type stream struct {
	lock         sync.Mutex
	had          map[string]time.Time // when artifacts' own updates arrived
	told, missed int
	err          error
}

// startStreams has so many look on until ctx ends.
func startStreams(ctx context.Context, daemon *daemonproc.Instance, n int) *watching {
	w := &watching{}
	for range n {
		s := &stream{had: map[string]time.Time{}}
		w.streams = append(w.streams, s)
		w.group.Go(func() {
			if err := s.follow(ctx, "http://"+daemon.HTTP+"/api/v1/live?others=10"); err != nil && ctx.Err() == nil {
				s.lock.Lock()
				defer s.lock.Unlock()
				s.err = fmt.Errorf("a viewer: %w", err)
			}
		})
		w.group.Go(func() { poll(ctx, daemon) })
	}
	return w
}

// statusEvery is how often the live page asks for the status.
const statusEvery = 2 * time.Second

// poll asks as the live page does. That the daemon fails to answer, the feed tells.
func poll(ctx context.Context, daemon *daemonproc.Instance) {
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_, _ = daemon.Get(ctx, "/api/v1/status", &struct{}{})
		}
	}
}

// seen counts the updates of artifacts that arrived, at all viewers.
func (w *watching) seen(of map[string]time.Time) (n int) {
	for _, s := range w.streams {
		s.lock.Lock()
		n += len(since(of, s.had))
		s.lock.Unlock()
	}
	return n
}

// end waits for the end of all streams, whose context has ended.
func (w *watching) end() error {
	w.group.Wait()
	var err error
	for _, s := range w.streams {
		err = errors.Join(err, s.err)
	}
	return err
}

func (s *stream) follow(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %s", url, res.Status)
	}
	for in, kind := bufio.NewReader(res.Body), ""; ; {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("%s: %w", url, err)
		}
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
		switch string(name) {
		case "event":
			kind = string(value)
		case "data":
			if err := s.take(kind, value, time.Now()); err != nil {
				return fmt.Errorf("%s: event %s: %w", url, kind, err)
			}
		}
	}
}

func (s *stream) take(kind string, data []byte, now time.Time) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	switch kind {
	case "missed":
		n, err := strconv.Atoi(string(data))
		s.missed += n
		return err
	case "more": // of others than arrivals
		return nil
	}
	// The rest of an event is its lists, which would take more to decode than all else that a viewer does here.
	head, _, _ := bytes.Cut(data, []byte(`,"recorded":`))
	var change struct {
		ID  string `json:"id"`
		Own bool   `json:"own"`
	}
	if err := json.Unmarshal(append(head, '}'), &change); err != nil {
		return fmt.Errorf("%.100q: %w", data, err)
	}
	s.told++
	if _, again := s.had[change.ID]; change.Own && !again {
		s.had[change.ID] = now
	}
	return nil
}
