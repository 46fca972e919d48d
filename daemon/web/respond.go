package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// failure is an error with its status code and its text for the client.
type failure struct {
	code int
	text string
}

func (f *failure) Error() string { return f.text }

func fail(code int, format string, args ...any) error {
	return &failure{code, fmt.Sprintf(format, args...)}
}

// statusClientGone is nginx' code for a client that did not wait for the answer.
const statusClientGone = 499

// classify turns any error into a failure. Texts of unexpected errors may hold
// paths and other inner things, so they are not for the client.
func classify(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &failure{http.StatusRequestEntityTooLarge, fmt.Sprintf("body is larger than %d bytes", tooLarge.Limit)}
	}
	for _, known := range []struct {
		err  error
		code int
	}{
		{ErrNotFound, http.StatusNotFound},
		{ErrUnknownList, http.StatusNotFound},
		{ErrBadRequest, http.StatusBadRequest},
		{ErrUnfit, http.StatusUnsupportedMediaType},
		{ErrConflict, http.StatusConflict},
		{ErrUnavailable, http.StatusServiceUnavailable},
		{ErrDamaged, http.StatusInternalServerError},
	} {
		if errors.Is(err, known.err) {
			return &failure{known.code, err.Error()}
		}
	}
	if errors.Is(err, context.Canceled) {
		return &failure{statusClientGone, "the client is gone"}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &failure{http.StatusServiceUnavailable, "the answer took too long"}
	}
	return &failure{http.StatusInternalServerError, "internal error, the daemon's log says more"}
}

func writeJSON(w http.ResponseWriter, code int, v any) error {
	// Encoded before the header is sent: what can't be encoded is then an
	// error with its own status, not half an answer with 200.
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(buf.Bytes()) // the client may be gone; nothing to do about it
	return nil
}

func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	f := classify(err)
	if f.code == http.StatusInternalServerError {
		s.log.ErrorContext(r.Context(), "query failed", "method", r.Method, "path", r.URL.EscapedPath(), "error", err)
	}
	_ = writeJSON(w, f.code, map[string]string{"error": f.text}) // a map of strings can be encoded
}
