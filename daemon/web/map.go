package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"kilim/daemon/browse"
	"kilim/daemon/browse/projection"
	"kilim/daemon/web/page"
	"kilim/rerank"
)

// MapService shows the map of the archive, and that of a theme, where one is named.
type MapService interface {
	// Map is where the map stands, and what has changed after a version of an edition, if that is known.
	Map(ctx context.Context, theme string, edition int64, version int) (*Map, error)
	// MapPoints are the points as they are sent; see projection.Keeper.
	MapPoints(ctx context.Context, theme string) ([]byte, error)
	// MapSlots tell for each slot of a theme's map where its artifact is in that of the archive; see projection.Keeper.
	MapSlots(ctx context.Context, theme string) ([]byte, error)
	// MapColours are what points can be coloured by, and a byte a slot; see projection.Keeper.
	MapColours(ctx context.Context, theme, field string) (colours *MapColours, codes []byte, err error)
	// MapPoint is an artifact on the map, with the first k of one of its lists.
	MapPoint(ctx context.Context, of MapPlace, list string, k int) (*MapPoint, error)
}

// Map is where the map stands.
type Map struct {
	projection.Status
	// Fields are those that points can be coloured by.
	Fields []string `json:"fields"`
	// Changes are those after the version that was asked about; missing when there are none, or none that are known.
	Changes []projection.Change `json:"changes,omitempty"`
}

// MapColours are the values of a field, whose places are the codes of slots.
type MapColours struct {
	Edition int64              `json:"edition"`
	Field   string             `json:"field"`
	Values  []projection.Value `json:"values"`
}

// MapPlace names an artifact, or what is in a slot of an edition, of the map of a theme or of the archive.
type MapPlace struct {
	Theme   string
	ID      string
	Edition int64
	Slot    int
}

// MapPoint is an artifact on the map.
type MapPoint struct {
	Edition int64        `json:"edition"`
	Slot    int          `json:"slot"`
	ID      string       `json:"id"`
	Card    *browse.Card `json:"card"`
	List    *browse.List `json:"list"`
	// Slots are those of the list's entries, -1 of one that is not on the map.
	Slots []int `json:"slots"`
	// Kept is how many of those entries are among as many nearest points on the map, Of how many are on it.
	Kept int `json:"kept"`
	Of   int `json:"of"`
}

// mapped answers where the map stands.
func (s *Server) mapped(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, map[string]bool{"theme": true, "edition": true, "after": true}); err != nil {
		return err
	}
	edition, err := whole(r.URL, "edition", 0)
	if err != nil {
		return err
	}
	after, err := whole(r.URL, "after", 0)
	if err != nil {
		return err
	}
	m, err := s.service.Map(r.Context(), r.URL.Query().Get("theme"), edition, int(after))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, m)
}

// whole is a parameter that is a whole number from 0 on, which a float64 can hold, since a browser made it.
func whole(u *url.URL, name string, otherwise int64) (int64, error) {
	text := u.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 54)
	if err != nil || n < 0 {
		return 0, fail(http.StatusBadRequest, "%s=%q: want a whole number from 0 on", name, text)
	}
	return n, nil
}

func (s *Server) mapPoints(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, map[string]bool{"theme": true}); err != nil {
		return err
	}
	body, err := s.service.MapPoints(r.Context(), r.URL.Query().Get("theme"))
	if err != nil {
		return err
	}
	edition, version := binary.LittleEndian.Uint64(body), binary.LittleEndian.Uint32(body[8:])
	etag := fmt.Sprintf("\"%d.%d\"", edition, version)
	h := w.Header()
	h.Set("ETag", etag)
	h.Set("Cache-Control", "private, no-cache")
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeBytes(w, body)
	return nil
}

// mapSlots answers with where a theme's points are on the map of the archive.
func (s *Server) mapSlots(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, map[string]bool{"theme": true}); err != nil {
		return err
	}
	body, err := s.service.MapSlots(r.Context(), r.URL.Query().Get("theme"))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	writeBytes(w, body)
	return nil
}

// mapColours answers with a line of JSON, and behind it a byte a slot.
func (s *Server) mapColours(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, map[string]bool{"theme": true, "field": true}); err != nil {
		return err
	}
	done, err := s.finds.take(w, r) // it goes through all artifacts, as a search does
	if err != nil {
		return err
	}
	defer done()
	c, codes, err := s.service.MapColours(r.Context(), r.URL.Query().Get("theme"), r.URL.Query().Get("field"))
	if err != nil {
		return err
	}
	line, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("web: the colours of the map: %w", err)
	}
	body := append(append(line, '\n'), codes...)
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Encoding")
	// Few values colour many points: packed they take less than half.
	if page.Accepts(r.Header.Get("Accept-Encoding"), "gzip") {
		if body, err = packed(body); err != nil {
			return err
		}
		h.Set("Content-Encoding", "gzip")
	}
	writeBytes(w, body)
	return nil
}

// packed is gzip at its quickest, some milliseconds a megabyte.
func packed(body []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err == nil {
		_, err = z.Write(body)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("web: pack an answer: %w", err)
	}
	return out.Bytes(), nil
}

// writeBytes sends what is no document, and is taken for none.
func writeBytes(w http.ResponseWriter, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client may be gone; nothing to do about it
}

func (s *Server) mapPoint(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, map[string]bool{"id": true, "theme": true, "edition": true, "slot": true, "list": true, "k": true}); err != nil {
		return err
	}
	q := r.URL.Query()
	list, k, err := listAndK(&url.URL{RawQuery: url.Values{"k": q["k"], "list": q["list"]}.Encode()})
	if err != nil {
		return err
	}
	of := MapPlace{Theme: q.Get("theme"), ID: q.Get("id")}
	switch {
	case q.Has("list"):
	case of.Theme != "":
		list = themePrefix + of.Theme
	default:
		list = rerank.ListGeneral // the map is of what this list is ordered by
	}
	if of.ID != "" {
		err = checkID(of.ID)
	} else {
		var slot int64
		var second error
		of.Edition, err = whole(r.URL, "edition", 0)
		slot, second = whole(r.URL, "slot", 0)
		of.Slot, err = int(slot), errors.Join(err, second)
	}
	if err != nil {
		return err
	}
	p, err := s.service.MapPoint(r.Context(), of, list, k)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, p)
}
