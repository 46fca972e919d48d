package web

import (
	"net/http"
	"strconv"
)

const (
	defaultGroups = 12
	// mostGroups bounds what an answer costs: a comparison for each two groups.
	mostGroups = 20
)

// cultures answers how near the largest groups of a kind are to one another, in a theme if one is named.
func (s *Server) cultures(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, map[string]bool{"kind": true, "theme": true, "k": true}); err != nil {
		return err
	}
	kind, k := r.URL.Query().Get("kind"), defaultGroups
	if kind == "" {
		kind = "culture"
	}
	if text := r.URL.Query().Get("k"); text != "" {
		var err error
		if k, err = strconv.Atoi(text); err != nil || k < 1 || k > mostGroups {
			return fail(http.StatusBadRequest, "k=%q: want a number from 1 to %d", text, mostGroups)
		}
	}
	a, err := s.service.Cultures(r.Context(), kind, r.URL.Query().Get("theme"), k)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, a)
}
