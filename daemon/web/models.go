package web

import (
	"context"
	"net/http"
	"strconv"
)

func (s *Server) models(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, nil); err != nil {
		return err
	}
	m, err := s.service.Models(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, m)
}

// change returns the handler of a request for another model: do is Service.Promote or Service.Rollback. It refuses requests
// that a browser makes for a page of another site: without authentication, any page that a person on this machine looks at
// could otherwise change what serves.
func (s *Server) change(do func(ctx context.Context, epoch uint32) error) func(http.ResponseWriter, *http.Request, string) error {
	crossOrigin := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request, id string) error {
		if err := crossOrigin.Check(r); err != nil {
			return fail(http.StatusForbidden, "%v", err)
		}
		if err := parameters(r.URL, nil); err != nil {
			return err
		}
		epoch, err := strconv.ParseUint(id, 10, 32)
		if err != nil || epoch == 0 {
			return fail(http.StatusBadRequest, "epoch %q: want a whole number from 1 on", id)
		}
		if err := do(r.Context(), uint32(epoch)); err != nil {
			return err
		}
		m, err := s.service.Models(r.Context())
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusAccepted, m)
	}
}
