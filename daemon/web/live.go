package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"kilim/daemon/browse/live"
)

const (
	// slowViewer is how long a viewer may take to take an event before its connection is cut; its browser asks again, after the last
	// event that it had.
	slowViewer = 10 * time.Second
	// heartbeat is how often something is sent when nothing happens: so a viewer that is gone is noticed, and proxies keep the
	// connection.
	heartbeat = 15 * time.Second
)

// live sends what changes as server-sent events: "change" with an Event of package live, and "missed" with a number before the
// first one that comes after events which the viewer was too slow for.
func (s *Server) live(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, nil); err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "text/event-stream")
		return nil
	}
	v, err := s.service.Look(r.Header.Get("Last-Event-ID"))
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
	send := func(format string, args ...any) error {
		if err := supported(control.SetWriteDeadline(time.Now().Add(slowViewer))); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			return err
		}
		return supported(control.Flush())
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	if err := send("retry: 2000\n\n"); err != nil {
		return nil // the viewer is gone
	}
	for ctx.Err() == nil {
		told, err := next(ctx, v)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			err = send(": nothing new\n\n")
		case err == nil && told.Missed > 0:
			err = send("event: missed\ndata: %d\n\nid: %s\nevent: change\ndata: %s\n\n", told.Missed, told.ID, told.JSON)
		case err == nil:
			err = send("id: %s\nevent: change\ndata: %s\n\n", told.ID, told.JSON)
		}
		if err != nil {
			return nil
		}
	}
	return nil
}

func next(ctx context.Context, v *live.Viewer) (*live.Told, error) {
	ctx, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	return v.Next(ctx)
}
