package web

import (
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"kilim/consumer/profile"
	"kilim/rerank"
)

const (
	defaultK = 10
	maxK     = 200
	// queryID is the id in the answer to a query whose artifact has none.
	queryID = "query"
)

func (s *Server) routes() map[string]endpoint {
	get := []string{http.MethodGet, http.MethodHead}
	metrics := s.metrics.handler(s.log)
	return map[string]endpoint{
		handleIndex:     {get, s.page},
		handlePage:      {get, s.page},
		handleLists:     {get, s.lists},
		handleView:      {get, s.view},
		handleList:      {get, s.list},
		handleCard:      {get, s.card},
		handleWhy:       {get, s.why},
		handleHistory:   {get, s.history},
		handleMedium:    {get, s.medium},
		handlePicture:   {get, s.picture},
		handleSearch:    {get, s.search},
		handleValues:    {get, s.values},
		handleLive:      {get, s.live},
		handleMap:       {get, s.mapped},
		handlePoints:    {get, s.mapPoints},
		handleSlots:     {get, s.mapSlots},
		handleColours:   {get, s.mapColours},
		handlePoint:     {get, s.mapPoint},
		handleMetrics:   {get, func(w http.ResponseWriter, r *http.Request, _ string) error { metrics.ServeHTTP(w, r); return nil }},
		handleHealthy:   {get, func(w http.ResponseWriter, _ *http.Request, _ string) error { return plain(w, "healthy\n") }},
		handleReady:     {get, s.ready},
		handleStatus:    {get, s.status},
		handleArtifact:  {get, s.artifact},
		handleSimilar:   {get, s.similar},
		handleSimilarTo: {[]string{http.MethodPost}, s.similarTo},
		handleAsk:       {[]string{http.MethodPost}, s.ask},
		handleEvaluate:  {[]string{http.MethodPost}, s.evaluate},
		handleModels:    {get, s.models},
		handleCultures:  {get, s.cultures},
		handleOpenAPI:   {get, s.openapi},
		handleThemes:    {append([]string{http.MethodPost}, get...), s.themes},
		handleRanking:   {get, s.ranking},
		handleSlowest:   {get, s.slowest},
		handlePromote:   {[]string{http.MethodPost}, s.change(s.service.Promote)},
		handleRollback:  {[]string{http.MethodPost}, s.change(s.service.Rollback)},
		handleJudgments: {append(slices.Clone(get), http.MethodPost, http.MethodDelete), s.judgments},
		handleQueries:   {append(slices.Clone(get), http.MethodPost), s.standing},
		handleQuery:     {append(slices.Clone(get), http.MethodDelete), s.standingQuery},
	}
}

func plain(w http.ResponseWriter, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text)
	return nil
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request, _ string) error {
	if err := s.service.Ready(); err != nil {
		return fail(http.StatusServiceUnavailable, "not ready: %v", err)
	}
	return plain(w, "ready\n")
}

func (s *Server) status(w http.ResponseWriter, r *http.Request, _ string) error {
	st, err := s.service.Status(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, st)
}

func (s *Server) artifact(w http.ResponseWriter, r *http.Request, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if err := parameters(r.URL, nil); err != nil {
		return err
	}
	v, found, err := s.service.Artifact(r.Context(), id)
	if err != nil {
		return err
	}
	if !found {
		return fail(http.StatusNotFound, "artifact %q is not known", id)
	}
	return writeJSON(w, http.StatusOK, v)
}

func (s *Server) similar(w http.ResponseWriter, r *http.Request, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	list, k, err := listAndK(r.URL)
	if err != nil {
		return err
	}
	if done, err := s.byTheme(w, r, Subject{ID: id}, list, k); done {
		return err
	}
	if done, err := s.byLearned(w, r, Subject{ID: id}, list, k); done {
		return err
	}
	a, err := s.service.Similar(r.Context(), id, list, k)
	if err != nil {
		return err
	}
	return writeAnswer(w, a)
}

func writeAnswer(w http.ResponseWriter, a *Answer) error {
	if a.Items == nil {
		listed := *a
		listed.Items = []rerank.Entry{}
		a = &listed
	}
	return writeJSON(w, http.StatusOK, a)
}

func checkID(id string) error {
	if id == "" {
		return fail(http.StatusBadRequest, "id is empty")
	}
	// CheckID returns a *Refusal, and a nil one would be an error that is not nil.
	if refusal := profile.CheckID("id", id, profile.DefaultLimits()); refusal != nil {
		return fail(http.StatusBadRequest, "%v", refusal)
	}
	return nil
}

// listAndK reads the parameters of a query for a list.
func listAndK(u *url.URL) (list string, k int, err error) {
	if err := parameters(u, map[string]bool{"list": true, "k": true, "weights": true}); err != nil {
		return "", 0, err
	}
	if list, err = listOf(u); err != nil {
		return "", 0, err
	}
	q := u.Query()
	k = defaultK
	if q.Has("k") {
		if k, err = strconv.Atoi(q.Get("k")); err != nil || k < 1 || k > maxK {
			return "", 0, fail(http.StatusBadRequest, "k %q: want a whole number from 1 to %d", q.Get("k"), maxK)
		}
	}
	return list, k, nil
}

// listOf is the parameter list: total unless another is asked for.
func listOf(u *url.URL) (string, error) {
	q := u.Query()
	if !q.Has("list") {
		return rerank.ListTotal, nil
	}
	list := q.Get("list")
	theme, isTheme := strings.CutPrefix(list, "theme:")
	if list != rerank.ListTotal && list != rerank.ListGeneral && (!isTheme || theme == "") {
		return "", fail(http.StatusBadRequest, "list %q: want general, total or theme:NAME", list)
	}
	return list, nil
}

// parameters refuses parameters that are not known: "K=50" would otherwise be answered
// with ten entries, and nobody would notice.
func parameters(u *url.URL, known map[string]bool) error {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fail(http.StatusBadRequest, "query %q: %v", u.RawQuery, err)
	}
	for name, values := range q {
		if !known[name] {
			return fail(http.StatusBadRequest, "parameter %q is not known here", name)
		}
		if len(values) > 1 {
			return fail(http.StatusBadRequest, "parameter %q is given %d times", name, len(values))
		}
	}
	return nil
}

func stack() string { return string(debug.Stack()) }
