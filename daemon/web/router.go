package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kilim/daemon/web/page"
)

// Names of the handlers: values of a label, so they are few and fixed.
const (
	handleIndex     = "index"
	handleMetrics   = "metrics"
	handleHealthy   = "healthy"
	handleReady     = "ready"
	handleStatus    = "status"
	handleArtifact  = "artifact"
	handleSimilar   = "similar"
	handleSimilarTo = "similar_to"
	handleAsk       = "ask"
	handleEvaluate  = "evaluate"
	handleModels    = "models"
	handleThemes    = "themes"
	handleRanking   = "ranking"
	handleSlowest   = "slowest"
	handlePromote   = "promote"
	handleRollback  = "rollback"
	handlePage      = "page"
	handleLists     = "lists"
	handleView      = "view"
	handleList      = "list"
	handleCard      = "card"
	handleWhy       = "why"
	handleHistory   = "history"
	handleMedium    = "medium"
	handlePicture   = "picture"
	handleSearch    = "search"
	handleValues    = "values"
	handleLive      = "live"
	handleJudgments = "judgments"
	handleQueries   = "queries"
	handleQuery     = "query"
	handleCultures  = "cultures"
	handleOpenAPI   = "openapi"
	handleMap       = "map"
	handlePoints    = "map_points"
	handleSlots     = "map_slots"
	handleColours   = "map_colours"
	handlePoint     = "map_point"
	handleUnknown   = "unknown"
)

const (
	artifactsPath = "/api/v1/artifacts/"
	modelsPath    = "/api/v1/models/"
	queriesPath   = "/api/v1/queries/"
)

// route names the handler of an escaped path, and the artifact's id, the model's epoch or the standing query's name, still
// escaped, when the path has one.
//
// http.ServeMux is not used because it cleans paths: it redirects away from ids
// such as "..", which are as good as any.
func route(escaped string) (handler, id string) {
	switch escaped {
	case "/":
		return handleIndex, ""
	case "/metrics":
		return handleMetrics, ""
	case "/-/healthy":
		return handleHealthy, ""
	case "/-/ready":
		return handleReady, ""
	case "/api/v1/status":
		return handleStatus, ""
	case "/api/v1/similar":
		return handleSimilarTo, ""
	case "/api/v1/ask":
		return handleAsk, ""
	case "/api/v1/evaluate":
		return handleEvaluate, ""
	case "/api/v1/models":
		return handleModels, ""
	case "/api/v1/themes":
		return handleThemes, ""
	case "/api/v1/ranking":
		return handleRanking, ""
	case "/api/v1/slowest":
		return handleSlowest, ""
	case "/api/v1/cultures":
		return handleCultures, ""
	case "/api/v1/map":
		return handleMap, ""
	case "/api/v1/map/points":
		return handlePoints, ""
	case "/api/v1/map/slots":
		return handleSlots, ""
	case "/api/v1/map/colours":
		return handleColours, ""
	case "/api/v1/map/point":
		return handlePoint, ""
	case "/api/v1/lists":
		return handleLists, ""
	case "/api/v1/search":
		return handleSearch, ""
	case "/api/v1/search/values":
		return handleValues, ""
	case "/api/v1/live":
		return handleLive, ""
	case "/api/v1/judgments":
		return handleJudgments, ""
	case "/api/v1/queries":
		return handleQueries, ""
	case "/api/v1/openapi.yaml":
		return handleOpenAPI, ""
	}
	if strings.HasPrefix(escaped, page.Prefix) {
		return handlePage, ""
	}
	if name, ok := strings.CutPrefix(escaped, queriesPath); ok && !strings.Contains(name, "/") {
		return handleQuery, name
	}
	if rest, ok := strings.CutPrefix(escaped, modelsPath); ok {
		epoch, tail, _ := strings.Cut(rest, "/")
		switch tail {
		case "promote":
			return handlePromote, epoch
		case "rollback":
			return handleRollback, epoch
		}
		return handleUnknown, ""
	}
	rest, ok := strings.CutPrefix(escaped, artifactsPath)
	if !ok {
		return handleUnknown, ""
	}
	id, tail, more := strings.Cut(rest, "/")
	switch {
	case !more:
		return handleArtifact, id
	case tail == "similar":
		return handleSimilar, id
	case tail == "list":
		return handleList, id
	case tail == "view":
		return handleView, id
	case tail == "card":
		return handleCard, id
	case tail == "why":
		return handleWhy, id
	case tail == "history":
		return handleHistory, id
	}
	if place, ok := strings.CutPrefix(tail, "media/"); ok {
		switch _, more, _ := strings.Cut(place, "/"); more {
		case "":
			return handleMedium, id
		case "picture":
			return handlePicture, id
		}
	}
	return handleUnknown, ""
}

type endpoint struct {
	methods []string
	serve   func(w http.ResponseWriter, r *http.Request, id string) error
}

// ServeHTTP answers one request. It is the handler behind TLS and authentication.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	name, escapedID := route(r.URL.EscapedPath())
	rec := &recorder{ResponseWriter: w, code: http.StatusOK}
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p) // net/http's own signal
			}
			s.log.ErrorContext(r.Context(), "query panicked", "path", r.URL.EscapedPath(), "panic", p, "stack", stack())
			if !rec.wrote {
				s.writeError(rec, r, fail(http.StatusInternalServerError, "internal error, the daemon's log says more"))
			}
		}
		s.metrics.observe(name, rec.code, time.Since(start))
	}()
	if err := s.dispatch(rec, r, name, escapedID); err != nil {
		s.writeError(rec, r, err)
	}
}

func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, name, escapedID string) error {
	if err := s.admit(r); err != nil {
		return err
	}
	e, ok := s.endpoints[name]
	if !ok {
		return fail(http.StatusNotFound, "path %q is not known; a \"/\" within an id is written %%2F", r.URL.EscapedPath())
	}
	if !slices.Contains(e.methods, r.Method) {
		w.Header().Set("Allow", strings.Join(e.methods, ", "))
		return fail(http.StatusMethodNotAllowed, "method %s is not allowed here, only %s", r.Method, strings.Join(e.methods, " and "))
	}
	id, err := url.PathUnescape(escapedID)
	if err != nil {
		return fail(http.StatusBadRequest, "id %q: not a path segment: %v", escapedID, err)
	}
	return e.serve(w, r, id)
}

// recorder notes the status code, for metrics, and whether anything was written, for ServeHTTP after a panic.
type recorder struct {
	http.ResponseWriter
	code  int
	wrote bool
}

func (r *recorder) WriteHeader(code int) {
	if !r.wrote {
		r.code, r.wrote = code, true
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
