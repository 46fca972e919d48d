package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"kilim/daemon/queries"
	"kilim/rerank"
)

// queryTimeout is how long the brokers may take for a standing query.
const queryTimeout = 10 * time.Second

// QueryService keeps standing queries: records that are not stored, whose lists are told each time that they change.
type QueryService interface {
	// StandingQueries tells of all, without their records and lists.
	StandingQueries(ctx context.Context) (*StandingQueries, error)
	// StandingQuery tells of one; a name that none has is ErrNotFound.
	StandingQuery(ctx context.Context, name string) (*StandingQuery, error)
	// AddQuery has a query that was checked stand, RemoveQuery ends one. Both return when StandingQuery tells it. Where there is no room AddQuery is ErrConflict.
	AddQuery(ctx context.Context, q *queries.Query) error
	RemoveQuery(ctx context.Context, name string) error
}

// StandingQueries are all of them, by name.
type StandingQueries struct {
	Queries []StandingQuery `json:"queries"`
	// Complete is false until the topic of the queries is read, after a start; Most is how many there may be.
	Complete bool `json:"complete"`
	Most     int  `json:"most"`
}

// StandingQuery is one of them, with what was told of it last: Revision, Epoch, Told, Lists, Changes and Cause are missing until that is something.
type StandingQuery struct {
	Name   string          `json:"name"`
	By     string          `json:"by,omitempty"`
	Record json.RawMessage `json:"record,omitempty"`
	// Failure says why it can't be asked now; it is tried again.
	Failure  string                    `json:"failure,omitempty"`
	Revision uint64                    `json:"revision,omitempty"`
	Epoch    uint32                    `json:"epoch,omitempty"`
	Told     *time.Time                `json:"told,omitempty"`
	Lists    map[string][]LearnedItem  `json:"lists,omitempty"`
	Changes  map[string]rerank.Changes `json:"changes,omitempty"`
	Cause    []string                  `json:"cause,omitempty"`
}

// standing tells which standing queries there are; by POST it adds one.
func (s *Server) standing(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, nil); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
	defer cancel()
	if r.Method == http.MethodPost {
		return s.addQuery(ctx, w, r)
	}
	all, err := s.service.StandingQueries(ctx)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, all)
}

func (s *Server) addQuery(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	if err := s.mayChangeQueries(r); err != nil {
		return err
	}
	done, err := s.asks.take(w, r) // of bodies that are as large
	if err != nil {
		return err
	}
	defer done()
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, queries.MostBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return fail(http.StatusBadRequest, "body: %v", err)
	}
	q, err := queries.Parse(raw)
	if err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	if err := s.service.AddQuery(ctx, q); err != nil {
		return err
	}
	return s.tellQuery(ctx, w, q.Name)
}

func (s *Server) tellQuery(ctx context.Context, w http.ResponseWriter, name string) error {
	found, err := s.service.StandingQuery(ctx, name)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, found)
}

// standingQuery tells of a standing query, or ends it.
func (s *Server) standingQuery(w http.ResponseWriter, r *http.Request, name string) error {
	if err := parameters(r.URL, nil); err != nil {
		return err
	}
	if err := queries.CheckName(name); err != nil {
		return fail(http.StatusBadRequest, "%v", err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
	defer cancel()
	if r.Method != http.MethodDelete {
		return s.tellQuery(ctx, w, name)
	}
	if err := s.mayChangeQueries(r); err != nil {
		return err
	}
	if err := s.service.RemoveQuery(ctx, name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// mayChangeQueries refuses who may not change what the daemon works at without end.
func (s *Server) mayChangeQueries(r *http.Request) error {
	if s.mayJudge(r) {
		return nil
	}
	return fail(http.StatusForbidden, "standing queries are taken on loopback, or from whoever web-config-file lets in: this daemon answers %v to anybody", s.cfg.Addr)
}
