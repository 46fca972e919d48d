package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kilim/consumer/profile"
	"kilim/daemon/browse"
	"kilim/daemon/browse/live"
	"kilim/daemon/browse/media"
	"kilim/daemon/browse/search"
	"kilim/rerank"
)

// Catalogue answers what people ask who look at artifacts: package page's files do. An id that is not stored is ErrNotFound.
type Catalogue interface {
	// Lists are those that artifacts have.
	Lists(ctx context.Context) ([]ListInfo, error)
	// List is the first k of one of an artifact's lists; with weights total is ordered by these themes too.
	List(ctx context.Context, id, name string, weights map[string]float64, k int) (*browse.List, error)
	// View is an artifact's page with the first k of total and general.
	View(ctx context.Context, id string, k int) (*browse.View, error)
	Card(ctx context.Context, id string) (*browse.Card, error)
	// History is one of an artifact's lists, total or general, as of a date, and what has changed since; the zero time: for as long as is known.
	History(ctx context.Context, id, list string, since time.Time) (*browse.History, error)
	// Why tells what two artifacts share, and how the other came to its rank.
	Why(ctx context.Context, one, other string) (*browse.Why, error)
	Search(ctx context.Context, q search.Query) (*Found, error)
	// Values are the most frequent cultures, periods and types.
	Values(ctx context.Context) (map[string][]search.Value, error)
	// Medium is that at a place of the record's media, Picture a JPEG of it. One that is never shown is ErrUnfit.
	Medium(ctx context.Context, id string, place int) (*media.Medium, error)
	Picture(ctx context.Context, id string, place, side int) (*media.Medium, error)
	// Look begins to look at what changes, after the event of an id. Too many who look are ErrUnavailable.
	Look(after string, in live.Interest) (*live.Viewer, error)
}

// ErrUnfit is wrapped by what a Catalogue says of media that are not given to browsers.
var ErrUnfit = errors.New("can't be shown") // 415

// ListInfo is a list that artifacts have.
type ListInfo struct {
	Name string `json:"name"`
	// Weights are those by which the parts of an entry add up to its score, missing where they do not.
	Weights *rerank.Parts `json:"weights,omitempty"`
}

// Found is an answer to a search.
type Found struct {
	Items []browse.Card `json:"items"`
	Total int           `json:"total"`
	// Next is the parameter after of the next page, missing on the last one.
	Next string `json:"next,omitempty"`
	// Indexed is the number of artifacts that were searched. Until Ready is true more are being read.
	Indexed int  `json:"indexed"`
	Ready   bool `json:"ready"`
}

const (
	// mediaAtOnce are the whole pictures and recordings that are sent at once; mediaWait is how long another waits for its turn.
	mediaAtOnce = 8
	mediaWait   = 5 * time.Second
	// mediaTimeout is how long the reader of a medium may take; a recording is read in ranges as it is played.
	mediaTimeout = 5 * time.Minute
	// queryBytes bounds the words of a search.
	queryBytes = 1024
)

func (s *Server) page(w http.ResponseWriter, r *http.Request, _ string) error {
	if s.pages.Serve(w, r) {
		return nil
	}
	return fail(http.StatusNotFound, "path %q is not known", r.URL.EscapedPath())
}

func (s *Server) lists(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, nil); err != nil {
		return err
	}
	lists, err := s.service.Lists(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string][]ListInfo{"lists": lists})
}

func (s *Server) view(w http.ResponseWriter, r *http.Request, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if err := parameters(r.URL, map[string]bool{"k": true}); err != nil {
		return err
	}
	_, k, err := listAndK(r.URL)
	if err != nil {
		return err
	}
	v, err := s.service.View(r.Context(), id, k)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, v)
}

func (s *Server) list(w http.ResponseWriter, r *http.Request, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	name, k, err := listAndK(r.URL)
	if err != nil {
		return err
	}
	weights, err := weightsFor(r.URL, name)
	if err != nil {
		return err
	}
	list, err := s.service.List(r.Context(), id, name, weights, k)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, list)
}

func (s *Server) card(w http.ResponseWriter, r *http.Request, id string) error {
	if err := errors.Join(checkID(id), parameters(r.URL, nil)); err != nil {
		return err
	}
	c, err := s.service.Card(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, c)
}

func (s *Server) why(w http.ResponseWriter, r *http.Request, id string) error {
	if err := parameters(r.URL, map[string]bool{"with": true}); err != nil {
		return err
	}
	other := r.URL.Query().Get("with")
	if err := errors.Join(checkID(id), checkID(other)); err != nil {
		return err
	}
	why, err := s.service.Why(r.Context(), id, other)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, why)
}

func (s *Server) search(w http.ResponseWriter, r *http.Request, _ string) error {
	q, err := queryOf(r.URL)
	if err != nil {
		return err
	}
	done, err := s.finds.take(w, r)
	if err != nil {
		return err
	}
	defer done()
	found, err := s.service.Search(r.Context(), q)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, found)
}

func queryOf(u *url.URL) (q search.Query, err error) {
	known := map[string]bool{"q": true, search.Culture: true, search.Period: true, search.Type: true, "has": true, "after": true, "k": true}
	if err := parameters(u, known); err != nil {
		return q, err
	}
	values := u.Query()
	for name := range values {
		if text := values.Get(name); len(text) > queryBytes {
			return q, fail(http.StatusBadRequest, "parameter %q has %d bytes, at most %d can be searched for", name, len(text), queryBytes)
		}
	}
	q = search.Query{Words: values.Get("q"), After: values.Get("after"), Fields: map[string]string{}}
	for _, kind := range []string{search.Culture, search.Period, search.Type} {
		q.Fields[kind] = values.Get(kind)
	}
	for has := range strings.SplitSeq(values.Get("has"), ",") {
		switch has {
		case "":
		case "picture":
			q.Media = append(q.Media, profile.Image)
		case "sound":
			q.Media = append(q.Media, profile.Audio)
		case "text":
			q.Media = append(q.Media, profile.Text)
		default:
			return q, fail(http.StatusBadRequest, "has %q: want picture, sound or text, separated by commas", has)
		}
	}
	_, q.Limit, err = listAndK(&url.URL{RawQuery: url.Values{"k": values["k"]}.Encode()})
	return q, err
}

func (s *Server) values(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, nil); err != nil {
		return err
	}
	values, err := s.service.Values(r.Context())
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, values)
}

// placeOf is the place in the path of a medium: .../media/PLACE or .../media/PLACE/picture.
func placeOf(u *url.URL) (int, error) {
	_, rest, _ := strings.Cut(strings.TrimPrefix(u.EscapedPath(), artifactsPath), "/media/")
	text, _, _ := strings.Cut(rest, "/")
	place, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, fail(http.StatusBadRequest, "place %q: want a whole number from 0 on", text)
	}
	return int(place), nil
}

func (s *Server) medium(w http.ResponseWriter, r *http.Request, id string) error {
	place, err := placeOf(r.URL)
	if err := errors.Join(err, checkID(id), parameters(r.URL, nil)); err != nil {
		return err
	}
	done, err := s.media.take(w, r)
	if err != nil {
		return err
	}
	defer done()
	m, err := s.service.Medium(r.Context(), id, place)
	if err != nil {
		return err
	}
	if err := supported(http.NewResponseController(w).SetWriteDeadline(time.Now().Add(mediaTimeout))); err != nil {
		return err
	}
	writeMedium(w, r, m)
	return nil
}

func (s *Server) picture(w http.ResponseWriter, r *http.Request, id string) error {
	place, err := placeOf(r.URL)
	if err := errors.Join(err, checkID(id), parameters(r.URL, map[string]bool{"side": true})); err != nil {
		return err
	}
	side := 256
	switch text := r.URL.Query().Get("side"); text {
	case "", "256":
	case "1024":
		side = 1024
	default:
		return fail(http.StatusBadRequest, "side %q: want 256 or 1024", text)
	}
	m, err := s.service.Picture(r.Context(), id, place, side)
	if err != nil {
		return err
	}
	writeMedium(w, r, m)
	return nil
}

// writeMedium sends bytes that came from a feed. Their type is one that package media took from them, and nothing makes a browser
// take them for another; if one opens them as a page of their own, it may do nothing.
func writeMedium(w http.ResponseWriter, r *http.Request, m *media.Medium) {
	h := w.Header()
	h.Set("Content-Type", m.Type)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Disposition", "inline")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", fmt.Sprintf("%q", m.Tag))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(m.Data))
}
