package web

import (
	_ "embed"
	"net/http"
)

// description is the API in OpenAPI 3.1. Tests hold it against the routes, the types and the answers of a daemon.
//
//go:embed openapi.yaml
var description []byte

func (s *Server) openapi(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, nil); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/yaml")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	_, _ = w.Write(description) // the client may be gone; nothing to do about it
	return nil
}
