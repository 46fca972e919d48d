package daemonproc

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWatch(t *testing.T) {
	i := newFake(t)
	p, err := i.Serve()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close() //nolint:errcheck // not this test's subject
	ctx, cancel := p.Alive(t.Context())
	defer cancel()
	silent := 0
	var last Look
	err = i.Watch(ctx, time.Millisecond, func(l Look) bool {
		if last = l; l.Status == nil {
			silent++
		}
		return l.Status != nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// The fake answers from its third look on.
	if s := last.Status; silent < 2 || !s.Ready || s.RefreshQueue != 4 || s.Artifacts != 3 || s.Training == nil || s.Training.Phase != "idle" || s.Training.Last != nil {
		t.Errorf("%d looks without an answer, then %+v", silent, s)
	}
	if last.Answered.Before(last.Asked) {
		t.Errorf("answered %v before asked", last.Asked.Sub(last.Answered))
	}
	limited, stop := context.WithCancel(ctx)
	err = i.Watch(limited, time.Millisecond, func(Look) bool { stop(); return false })
	wantError(t, err, "canceled")
}

func TestRequests(t *testing.T) {
	i := newFake(t)
	serve(t, i)
	var s Status
	if found, err := i.Get(t.Context(), "/api/v1/status", &s); !found || err != nil || !s.Ready {
		t.Errorf("%v %v %+v", found, err, s)
	}
	if found, err := i.Get(t.Context(), "/api/v1/nothing", &s); found || err != nil {
		t.Errorf("what is not there: %v %v", found, err)
	}
	_, err := i.Get(t.Context(), "/broken", &s)
	wantError(t, err, "GET /broken", "500", "it broke")
	_, err = i.Get(t.Context(), "/metrics", &s)
	wantError(t, err, "GET /metrics")
	if err := i.Post(t.Context(), "/do"); err != nil {
		t.Error(err)
	}
	wantError(t, i.Post(t.Context(), "/refuse"), "POST /refuse", "409", "no such model")
}

func TestServeFlags(t *testing.T) {
	i, err := NewInstance("kilim", "data", "", "--own", "1")
	if err != nil {
		t.Fatal(err)
	}
	if i.broker() != "embedded://"+i.Kafka || i.Kafka == i.HTTP {
		t.Errorf("%+v", i)
	}
	if i, err = NewInstance("kilim", "data", "127.0.0.1:9092"); err != nil || i.broker() != "127.0.0.1:9092" {
		t.Errorf("%+v, %v", i, err)
	}
	c := i.command("serve", "--x")
	if c.Path != "kilim" || !slices.Equal(c.Args, []string{"serve", "--x"}) || c.Log != "data.serve.log" {
		t.Errorf("%+v", c)
	}
}

func TestFeed(t *testing.T) {
	i := newFake(t, "--own", "1")
	began := httptest.NewServer(http.NotFoundHandler())
	defer began.Close()
	if n, err := i.Feed(t.Context(), began.URL, 12.5); n != 12 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	i.Kilim = "true" // prints nothing
	_, err := i.Feed(t.Context(), began.URL, 0)
	wantError(t, err, `printed ""`)
	i.Kilim = "false"
	_, err = i.Feed(t.Context(), began.URL, 0)
	wantError(t, err, "exit status 1")
}

// TestFeedInterrupted: a feed that is interrupted tells how much was acknowledged.
func TestFeedInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	began := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }))
	defer began.Close()
	n, err := newFake(t, "--on-term", "tell").Feed(ctx, began.URL, 0)
	if n != 7 {
		t.Errorf("%d acknowledged", n)
	}
	wantError(t, err, "canceled", "interrupted")
}

func TestSettle(t *testing.T) {
	i := newFake(t)
	status, err := i.Settle(t.Context())
	if err != nil || !strings.Contains(string(status), "--wait --json --http "+i.HTTP) {
		t.Errorf("%q, %v", status, err)
	}
}

func TestCheck(t *testing.T) {
	for folder, want := range map[string]string{"sound": "", "faulty": "an edge leads nowhere", "locked": "somebody has it open"} {
		faults, err := newFake(t, "--folder", folder).Check(t.Context())
		if err != nil || want == "" && faults != "" || !strings.Contains(faults, want) {
			t.Errorf("%s: %q, %v", folder, faults, err)
		}
	}
	_, err := newFake(t, "--folder", "misspelt").Check(t.Context())
	wantError(t, err, "exit status 2")
}
