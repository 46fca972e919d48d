package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"kilim/daemon/web"
)

// daemon is a server that gives one answer after another, the last one again and again.
type daemon struct {
	*httptest.Server
	mu      sync.Mutex
	asked   int
	answers []any // a web.Status, or an int for a bare status code
}

func newDaemon(t *testing.T, answers ...any) *daemon {
	t.Helper()
	d := &daemon{answers: answers}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		answer := d.answers[min(d.asked, len(d.answers)-1)]
		d.asked++
		if r.URL.Path != "/api/v1/status" {
			answer = 404
		}
		switch a := answer.(type) {
		case int:
			http.Error(w, `{"error":"no"}`, a)
		case web.Status:
			if err := json.NewEncoder(w).Encode(a); err != nil {
				t.Error(err)
			}
		}
	}))
	t.Cleanup(d.Close)
	return d
}

func (d *daemon) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

func done(revision uint64) web.Status {
	return web.Status{Ready: true, Assigned: true, Revision: revision, Artifacts: 12, Version: "v1",
		Nodes: map[string]int{"text": 3, "artifact": 12, "image": 0}, Edges: map[string]int{}}
}

func busy(change func(*web.Status)) web.Status {
	s := done(9)
	change(&s)
	return s
}

// waitFor waits as `status --wait` does, looking often.
func waitFor(t *testing.T, d *daemon, timeout time.Duration) (*web.Status, error) {
	t.Helper()
	c := &statusCommand{Timeout: timeout, every: time.Millisecond}
	target, err := address{d.URL}.url("/api/v1/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, s, err := c.wait(t.Context(), &asker{client: d.Client(), url: target})
	return s, err
}

func TestWaitNeedsAllDoneTwiceInARow(t *testing.T) {
	t.Parallel()
	almost := []any{
		busy(func(s *web.Status) { s.Ready = false }),
		busy(func(s *web.Status) { s.Assigned = false }),
		busy(func(s *web.Status) { s.Lag = 1 }),
		busy(func(s *web.Status) { s.Media = map[string]web.MediaStatus{"image": {Encoded: 3, Waiting: 2, Held: 1}} }),
		busy(func(s *web.Status) { s.RefreshQueue = 1 }),
		busy(func(s *web.Status) { s.Outbox = 1 }),
		503,
	}
	var answers []any
	for _, a := range almost {
		answers = append(answers, done(1), a)
	}
	// What can't be had now is not waited for.
	held := done(3)
	held.Media = map[string]web.MediaStatus{"image": {Waiting: 1, Held: 1}, "audio": {Encoded: 7, Refused: 2, Again: 1}}
	held.RefreshAge = 2.5
	held.Training = &web.Training{Phase: "training", Stage: "heads", Step: 5, Steps: 90, Changed: 0.25, Last: &web.Trained{Result: "rejected", Epoch: 4}}
	answers = append(answers, done(2), held, held)
	d := newDaemon(t, answers...)
	s, err := waitFor(t, d, 0)
	if err != nil || s.Revision != 3 || d.count() != len(answers) {
		t.Errorf("after %d of %d answers: %+v, %v", d.count(), len(answers), s, err)
	}
	_, stdout, _ := kilim(t, "", "status", "--http", d.URL)
	for _, want := range []string{"media: audio", "7 encoded, 0 waiting, 2 refused (1 tried again", "media: image", "1 waiting (1 held back",
		"0, of which the oldest embedding or list has been stale for 2.5s",
		"training, heads, step 5 of at most 90; last 0001-01-01 00:00: rejected (epoch 4); changed since by 0.25 archives"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
}

func TestWaitRunsOutOfTime(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, busy(func(s *web.Status) { s.Lag = 7 }))
	code, stdout, stderr := kilim(t, "", "status", "--http", d.URL, "--wait", "--timeout=300ms")
	if code != exitTimeout || stdout != "" || !strings.Contains(stderr, "300ms") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
	// A machine so slow that the daemon never answered is told as that.
	if !strings.Contains(stderr, "lag 7") && !strings.Contains(stderr, "no answer yet") {
		t.Errorf("the state is not told: %s", stderr)
	}
}

// TestWaitSaysWhyNotReady: a reason is told once while it lasts, and again when the time is up.
func TestWaitSaysWhyNotReady(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, busy(func(s *web.Status) { s.Ready, s.Assigned, s.Reason = false, false, "another member" }))
	code, stdout, stderr := kilim(t, "", "status", "--http", d.URL, "--wait", "--timeout=900ms")
	if code != exitTimeout || stdout != "" || !strings.Contains(stderr, "another member") && !strings.Contains(stderr, "no answer yet") ||
		strings.Count(stderr, "waiting:") > 1 {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
	if code, stdout, _ := kilim(t, "", "status", "--http", d.URL); code != exitOK || !strings.Contains(stdout, "not ready: another member") {
		t.Errorf("exit code %d, %s", code, stdout)
	}
}

func TestWaitForNobody(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, done(1))
	d.Close()
	code, _, stderr := kilim(t, "", "status", "--http", d.URL, "--wait", "--timeout=300ms")
	if code != exitTimeout || !strings.Contains(stderr, "refused") && !strings.Contains(stderr, "no answer yet") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestWaitDoesNotWaitForWhatCanNotCome(t *testing.T) {
	t.Parallel()
	for _, answer := range []int{401, 404} {
		d := newDaemon(t, answer)
		code, _, stderr := kilim(t, "", "status", "--http", strings.Replace(d.URL, "://", "://ali:hunter2@", 1), "--wait")
		if code != exitFailed || !strings.Contains(stderr, fmt.Sprint(answer)) || strings.Contains(stderr, "hunter2") {
			t.Errorf("%d: exit code %d, %s", answer, code, stderr)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, done(1))
	code, stdout, _ := kilim(t, "", "status", "--http", strings.TrimPrefix(d.URL, "http://"))
	for _, want := range []string{"kilim v1", "ready", "artifacts", "12", "artifact 12, text 3\n", "edges", "none"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	code, stdout, _ = kilim(t, "", "status", "--http", d.URL+"/", "--json", "--wait")
	var got web.Status
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != exitOK || got.Artifacts != 12 || strings.Count(stdout, "\n") != 1 {
		t.Errorf("exit code %d, %s (%v)", code, stdout, err)
	}
	d = newDaemon(t, 503)
	if code, _, stderr := kilim(t, "", "status", "--http", d.URL); code != exitFailed || !strings.Contains(stderr, "503") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
