package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"kilim/daemon/browse"
)

const (
	// titleTimeout is how long the daemon may take for a title, and titlePause how long it is not asked after it gave none: titles
	// must not hold up what they stand beside.
	titleTimeout = 2 * time.Second
	titlePause   = 10 * time.Second
	// mostTitles are remembered.
	mostTitles = 4096
)

// titles are those of artifacts, as a daemon tells them. One that is remembered is not asked for again.
type titles struct {
	ctx    context.Context
	at     address
	client *http.Client
	known  map[string]string
	// again is when a daemon that did not answer is asked again.
	again time.Time
}

func newTitles(ctx context.Context, at address) *titles {
	return &titles{ctx: ctx, at: at, client: &http.Client{Timeout: titleTimeout}, known: map[string]string{}}
}

// find returns the titles that are known of artifacts. Without a daemon there are none.
func (t *titles) find(ids []string) map[string]string {
	if len(t.known) > mostTitles {
		clear(t.known)
	}
	for _, id := range ids {
		if _, ok := t.known[id]; ok || time.Now().Before(t.again) {
			continue
		}
		title, err := t.ask(id)
		var final *finalError
		if err != nil && !errors.As(err, &final) { // an artifact that is gone has no title, and that is all
			t.again = time.Now().Add(titlePause)
			continue
		}
		t.known[id] = title
	}
	return t.known
}

func (t *titles) ask(id string) (string, error) {
	at, err := t.at.url("/api/v1/artifacts/"+url.PathEscape(id)+"/card", nil)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(t.ctx, http.MethodGet, at, nil)
	if err != nil {
		return "", err
	}
	raw, err := ask(t.client, req)
	if err != nil {
		return "", err
	}
	var c browse.Card
	err = json.Unmarshal(raw, &c)
	return c.Title, err
}
