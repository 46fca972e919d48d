package web

import (
	"net/http"
	"net/url"
	"time"
)

func (s *Server) history(w http.ResponseWriter, r *http.Request, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if err := parameters(r.URL, map[string]bool{"list": true, "since": true}); err != nil {
		return err
	}
	list, err := listOf(r.URL)
	if err != nil {
		return err
	}
	since, err := sinceOf(r.URL)
	if err != nil {
		return err
	}
	h, err := s.service.History(r.Context(), id, list, since)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, h)
}

// sinceOf is the parameter since: a time, or the beginning of a day, in UTC unless it says otherwise; without it the zero time.
func sinceOf(u *url.URL) (time.Time, error) {
	q := u.Query()
	if !q.Has("since") {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
		if at, err := time.Parse(layout, q.Get("since")); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fail(http.StatusBadRequest, "since %q: want a date, as 2026-11-30 or 2026-11-30T12:00:00Z", q.Get("since"))
}
