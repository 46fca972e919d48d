package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"kilim/consumer/profile"
	"kilim/learner/train/eval"
)

const (
	// searchesAtOnce are the searches for artifacts in bodies that run at once; searchWait is how long another one waits
	// for its turn.
	searchesAtOnce = 2
	searchWait     = 5 * time.Second
	// maxParts bounds what such a search costs: each part is an edge whose other end is read, some 0.2 ms of a processor. A
	// catalogue's record has tens.
	maxParts = 2048

	// truthBytes bounds the body of a truth as it comes, packed or not; eval.Read bounds what it unpacks to and what is kept.
	truthBytes = 256 << 20
	// A large truth takes longer than the Server's readTimeout and writeTimeout allow. While one is read nobody else's turn comes.
	truthTimeout    = 2 * time.Minute
	evaluateTimeout = 10 * time.Minute
)

func (s *Server) similarTo(w http.ResponseWriter, r *http.Request, _ string) error {
	list, k, err := listAndK(r.URL)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.limits.bodyBytes()))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return fail(http.StatusBadRequest, "body: %v", err)
	}
	artifact, err := s.parse(raw)
	if err != nil {
		return err
	}
	if n := parts(artifact); n > maxParts {
		return fail(http.StatusBadRequest, "the artifact has %d terms, media and links, at most %d can be searched for", n, maxParts)
	}
	done, err := s.searches.take(w, r)
	if err != nil {
		return err
	}
	defer done()
	if done, err := s.byTheme(w, r, Subject{Artifact: artifact}, list, k); done {
		return err
	}
	if done, err := s.byLearned(w, r, Subject{Artifact: artifact}, list, k); done {
		return err
	}
	a, err := s.service.SimilarTo(r.Context(), artifact, list, k)
	if err != nil {
		return err
	}
	if artifact.ID == "" {
		named := *a
		named.ID = queryID
		a = &named
	}
	return writeAnswer(w, a)
}

// parts counts what an artifact would be joined to.
func parts(a *profile.Artifact) int {
	n := len(a.Media) + len(a.Link)
	for _, terms := range [][]profile.Term{
		a.Creator, a.Culture, a.Period, a.Dynasty, a.Reign, a.Style, a.Place, a.Material, a.Technique, a.Type, a.Subject, a.Collection,
	} {
		n += len(terms)
	}
	return n
}

// evaluate judges a list against the truth in the body.
func (s *Server) evaluate(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, map[string]bool{"list": true}); err != nil {
		return err
	}
	list, err := listOf(r.URL)
	if err != nil {
		return err
	}
	done, err := s.evaluations.take(w, r)
	if err != nil {
		return err
	}
	defer done()
	control, now := http.NewResponseController(w), time.Now()
	if err := errors.Join(supported(control.SetReadDeadline(now.Add(truthTimeout))), supported(control.SetWriteDeadline(now.Add(evaluateTimeout)))); err != nil {
		return err
	}
	truth, err := eval.Read(http.MaxBytesReader(w, r.Body, truthBytes))
	if err != nil {
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			return err
		case errors.Is(err, eval.ErrTooLarge):
			return fail(http.StatusRequestEntityTooLarge, "%v", err)
		}
		return fail(http.StatusBadRequest, "%v", err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), evaluateTimeout)
	defer cancel()
	report, err := s.service.Evaluate(ctx, truth, list)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, report)
}

// supported drops the error of a http.ResponseWriter that has no deadlines: tests have such.
func supported(err error) error {
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// parse reads the artifact of a query, in which something must be.
func (s *Server) parse(raw []byte) (*profile.Artifact, error) {
	a, err := s.parseRecord(raw)
	if err == nil && a.Blank() {
		return nil, errBlank()
	}
	return a, err
}

func errBlank() error {
	return fail(http.StatusBadRequest, "an empty query: want at least a title, a description, a term, a medium, a link, a date or a location")
}

// parseRecord reads the fields of a query. Its id may be missing: then parseRecord reads them again under queryID, since profile.Parse
// refuses an artifact without one, and leaves the ID empty.
func (s *Server) parseRecord(raw []byte) (*profile.Artifact, error) {
	a, err := profile.Parse(raw, "", s.limits.Profile)
	var refusal *profile.Refusal
	if errors.As(err, &refusal) && refusal.Reason == profile.ReasonNoID {
		if a, err = profile.Parse(raw, queryID, s.limits.Profile); err == nil {
			a.ID = ""
		}
	}
	if errors.As(err, &refusal) {
		return nil, fail(http.StatusBadRequest, "%v", refusal)
	}
	return a, err
}
