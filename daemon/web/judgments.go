package web

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"kilim/daemon/judgments"
)

const (
	// judgmentBytes bounds the body of a judgment: two ids, a theme and a name.
	judgmentBytes = 64 << 10
	// judgmentTimeout is how long the brokers may take for one.
	judgmentTimeout = 10 * time.Second
)

// JudgmentService keeps what people say of how alike two artifacts are.
type JudgmentService interface {
	// Judgments tells what is said of an artifact, or everything when id is empty.
	Judgments(ctx context.Context, id string) ([]judgments.Judgment, error)
	// Judge has a judgment that was checked hold, Unjudge takes back what was said of a pair in a theme, or in general. Both return when
	// Judgments tells it.
	Judge(ctx context.Context, j *judgments.Judgment) error
	Unjudge(ctx context.Context, a, b, theme string) error
}

// judgments tells, takes and takes back what people say of how alike two artifacts are.
func (s *Server) judgments(w http.ResponseWriter, r *http.Request, _ string) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !s.mayJudge(r) {
		return fail(http.StatusForbidden, "judgments are taken on loopback, or from whoever web-config-file lets in: this daemon answers %v to anybody", s.cfg.Addr)
	}
	ctx, cancel := context.WithTimeout(r.Context(), judgmentTimeout)
	defer cancel()
	switch r.Method {
	case http.MethodPost:
		return s.judge(ctx, w, r)
	case http.MethodDelete:
		return s.unjudge(ctx, w, r)
	}
	if err := parameters(r.URL, map[string]bool{"id": true}); err != nil {
		return err
	}
	id := r.URL.Query().Get("id")
	if r.URL.Query().Has("id") {
		if err := checkID(id); err != nil {
			return err
		}
	}
	found, err := s.service.Judgments(ctx, id)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, struct {
		Judgments []judgments.Judgment `json:"judgments"`
	}{append([]judgments.Judgment{}, found...)})
}

func (s *Server) judge(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	if err := parameters(r.URL, nil); err != nil {
		return err
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, judgmentBytes))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return fail(http.StatusBadRequest, "body: %v", err)
	}
	j, err := judgments.Parse(raw)
	if err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	if err := s.service.Judge(ctx, j); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, j)
}

func (s *Server) unjudge(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	if err := parameters(r.URL, map[string]bool{"a": true, "b": true, "theme": true}); err != nil {
		return err
	}
	q := r.URL.Query()
	// Of a judgment that is taken back only the pair and the theme are given; all else is what passes.
	j := judgments.Judgment{A: q.Get("a"), B: q.Get("b"), Theme: q.Get("theme"), By: "-"}
	if err := j.Check(); err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	if err := s.service.Unjudge(ctx, j.A, j.B, j.Theme); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// mayJudge tells whether a request may change what people have said, which the daemon learns from: where it answers without a password, only who
// is on the machine may. What a page of another site sends, admit has refused.
func (s *Server) mayJudge(r *http.Request) bool {
	if s.cfg.WebConfigFile != "" {
		return true
	}
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return true // no connection, as in a test of the handler
	}
	at, err := netip.ParseAddrPort(addr.String())
	return err == nil && at.Addr().Unmap().IsLoopback()
}
