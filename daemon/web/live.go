package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"kilim/daemon/browse/live"
	"kilim/internal/pause"
)

const (
	// slowViewer is how long a viewer may take to take an event before its connection is cut; its browser asks again, after the last
	// event that it had.
	slowViewer = 10 * time.Second
	// heartbeat is how often something is sent when nothing happens: so a viewer that is gone is noticed, and proxies keep the
	// connection.
	heartbeat = 15 * time.Second
	// atOnce is how many bytes of events are gathered that are ready before they are sent: one write tells all that a record has changed.
	atOnce = 64 << 10
	// paced is how far apart writes are to a viewer who has named a number of others, which is a person: each write wakes some threads of a browser and has a
	// page drawn, which takes more of a processor than to read the events of ten.
	paced = 90 * time.Millisecond
	// mostOthers is the largest parameter others.
	mostOthers = 1000
)

// live sends what changes as server-sent events: "change" with an Event of package live, "missed" with a number before the
// first one that comes after events which the viewer was too slow for, and "more" with the number of those that the parameter others had no room for.
func (s *Server) live(w http.ResponseWriter, r *http.Request, _ string) error {
	in, err := interest(r.URL)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/event-stream")
		return nil
	}
	v, err := s.service.Look(r.Header.Get("Last-Event-ID"), in)
	if err != nil {
		w.Header().Set("Retry-After", "10")
		return err
	}
	defer v.Close()
	control := http.NewResponseController(w)
	if err := supported(control.SetReadDeadline(time.Time{})); err != nil { // the Server's readTimeout would end it
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	send := func(events []byte) error {
		if err := supported(control.SetWriteDeadline(time.Now().Add(slowViewer))); err != nil {
			return err
		}
		if _, err := w.Write(events); err != nil {
			return err
		}
		return supported(control.Flush())
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	if err := send([]byte("retry: 2000\n\n")); err != nil {
		return nil // the viewer is gone
	}
	var out bytes.Buffer
	for ctx.Err() == nil {
		out.Reset()
		told, err := next(ctx, v)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			out.WriteString(": nothing new\n\n")
		case err != nil:
			return nil
		}
		for ; told != nil; told = v.Ready() {
			tell(&out, told)
			if out.Len() >= atOnce {
				break
			}
		}
		if err := send(out.Bytes()); err != nil {
			return nil
		}
		if in.Others != live.All {
			pause.For(ctx, paced)
		}
	}
	return nil
}

func tell(out *bytes.Buffer, told *live.Told) {
	if told.Missed > 0 {
		fmt.Fprintf(out, "event: missed\ndata: %d\n\n", told.Missed)
	}
	if told.Passed > 0 {
		fmt.Fprintf(out, "event: more\ndata: %d\n\n", told.Passed)
	}
	if told.JSON != nil {
		fmt.Fprintf(out, "id: %s\nevent: change\ndata: %s\n\n", told.ID, told.JSON)
	}
}

// interest reads the parameters id and others.
func interest(u *url.URL) (live.Interest, error) {
	in := live.Interest{Others: live.All}
	if err := parameters(u, map[string]bool{"id": true, "others": true}); err != nil {
		return in, err
	}
	q := u.Query()
	in.Of = q.Get("id")
	if text := q.Get("others"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > mostOthers {
			return in, fail(http.StatusBadRequest, "others=%q: want a whole number from 0 to %d", text, mostOthers)
		}
		in.Others = n
	}
	return in, nil
}

func next(ctx context.Context, v *live.Viewer) (*live.Told, error) {
	ctx, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	return v.Next(ctx)
}
