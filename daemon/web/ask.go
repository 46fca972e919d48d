package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
	"unicode/utf8"

	"kilim/consumer/profile"
	"kilim/daemon/browse"
	"kilim/daemon/browse/media"
)

const (
	// asksAtOnce are read at once, each of at most askBytes in memory: on a slow line that takes a while, so they have turns of their
	// own. What they cost then waits for a turn among the searches.
	asksAtOnce = 2
	askBytes   = 16 << 20
	// askParts bounds the files and texts of a body.
	askParts = 8
	// askReading is how long a body may take, askTimeout the encoding of its media, askAnswer all of it.
	askReading = 30 * time.Second
	askTimeout = 20 * time.Second
	askAnswer  = 90 * time.Second
)

// Asked are the lists that an artifact which is not stored would have.
type Asked struct {
	Lists []browse.List `json:"lists"` // total, general, and of each theme that applies to it
	Epoch uint32        `json:"epoch"`
}

// UnfitMediumError says that the medium at a Place of an artifact in a body can't be used; it is an ErrUnfit.
type UnfitMediumError struct {
	Place  int
	Reason string
}

func (e *UnfitMediumError) Error() string { return fmt.Sprintf("medium %d: %s", e.Place, e.Reason) }
func (e *UnfitMediumError) Unwrap() error { return ErrUnfit }

// question is what a body asks about, with what the client calls each medium.
type question struct {
	artifact *profile.Artifact
	names    map[int]string
}

// ask answers with all lists that what is in the body would have.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, _ string) error {
	if err := parameters(r.URL, map[string]bool{"k": true}); err != nil {
		return err
	}
	_, k, err := listAndK(r.URL)
	if err != nil {
		return err
	}
	done, err := s.asks.take(w, r)
	if err != nil {
		return err
	}
	defer done()
	control, now := http.NewResponseController(w), time.Now()
	if err := errors.Join(supported(control.SetReadDeadline(now.Add(askReading))), supported(control.SetWriteDeadline(now.Add(askAnswer)))); err != nil {
		return err
	}
	q, err := s.readQuestion(w, r)
	if err != nil {
		return err
	}
	switch n := parts(q.artifact); {
	case q.artifact.Blank():
		return errBlank()
	case n > maxParts:
		return fail(http.StatusBadRequest, "the artifact has %d terms, media and links, at most %d can be searched for", n, maxParts)
	}
	searched, err := s.searches.take(w, r)
	if err != nil {
		return err
	}
	defer searched()
	ctx, cancel := context.WithTimeout(r.Context(), askTimeout)
	defer cancel()
	a, err := s.service.Ask(ctx, q.artifact, k)
	var unfit *UnfitMediumError
	if errors.As(err, &unfit) {
		return fail(http.StatusUnsupportedMediaType, "%s: %s", q.name(unfit.Place), unfit.Reason)
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, a)
}

func (q *question) name(place int) string {
	if name := browse.Readable(q.names[place], 80); name != "" {
		return name
	}
	return fmt.Sprintf("medium %d", place+1)
}

// readQuestion reads an artifact as JSON, or a form with texts and files and, in its part "record", the fields.
func (s *Server) readQuestion(w http.ResponseWriter, r *http.Request) (*question, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, fail(http.StatusUnsupportedMediaType, "content type %q: want multipart/form-data or application/json", r.Header.Get("Content-Type"))
	}
	switch kind {
	case "application/json":
		raw, err := readPart("body", http.MaxBytesReader(w, r.Body, s.limits.bodyBytes()), s.limits.bodyBytes())
		if err != nil {
			return nil, err
		}
		a, err := s.parse(raw)
		return &question{artifact: a}, err
	case "multipart/form-data":
		r.Body = http.MaxBytesReader(w, r.Body, askBytes)
		return s.readForm(r)
	}
	return nil, fail(http.StatusUnsupportedMediaType, "content type %q: want multipart/form-data or application/json", kind)
}

func (s *Server) readForm(r *http.Request) (*question, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, fail(http.StatusBadRequest, "body: %v", err)
	}
	q := &question{artifact: &profile.Artifact{}, names: map[int]string{}}
	var more []profile.Media
	var names []string
	for recorded := false; ; {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, bodyError("body", err)
		}
		name := part.FormName()
		most := s.limits.bodyBytes()
		if name == "file" {
			most = askBytes
		}
		raw, err := readPart(name, part, most)
		if err != nil {
			return nil, err
		}
		switch {
		case name == "record" && !recorded:
			recorded = true
			if q.artifact, err = s.parseRecord(raw); err != nil {
				return nil, err
			}
			continue
		case name == "text" && !utf8.Valid(raw):
			return nil, fail(http.StatusBadRequest, "text: it is not UTF-8")
		case name == "text":
			more, names = append(more, profile.Media{Kind: profile.Text, Text: string(raw)}), append(names, "text")
		case name == "file":
			kind := media.Kind(raw)
			if kind == "" {
				return nil, fail(http.StatusUnsupportedMediaType, "%s: no picture or recording that is read here: want JPEG, PNG, WebP, GIF, TIFF, BMP, WAV, AIFF, FLAC, MP3 or Ogg",
					browse.Readable(part.FileName(), 80))
			}
			more, names = append(more, profile.Media{Kind: kind, Data: raw}), append(names, part.FileName())
		default:
			return nil, fail(http.StatusBadRequest, "part %q: want one record, text or file", browse.Readable(name, 80))
		}
		if len(more) > askParts {
			return nil, fail(http.StatusBadRequest, "more than %d files and texts", askParts)
		}
	}
	for i, m := range more {
		q.names[len(q.artifact.Media)] = names[i]
		q.artifact.Media = append(q.artifact.Media, m)
	}
	return q, nil
}

// readPart reads what has at most so many bytes.
func readPart(name string, from io.Reader, most int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(from, most+1))
	switch {
	case err != nil:
		return nil, bodyError(name, err)
	case int64(len(raw)) > most:
		return nil, fail(http.StatusRequestEntityTooLarge, "%s has more than %d bytes", browse.Readable(name, 80), most)
	}
	return raw, nil
}

// bodyError is the client's fault but where the body is too large, which classify tells.
func bodyError(name string, err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return fail(http.StatusBadRequest, "%s: %v", browse.Readable(name, 80), err)
}
