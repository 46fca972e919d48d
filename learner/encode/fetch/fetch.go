package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"kilim/learner/encode/feature"
)

// Media is a media item as a record has it.
type Media struct {
	Kind      string // "text", "image" or "audio"
	MediaType string
	Data      []byte
	Text      string
	URI       string // looked at when there are neither Data nor Text
}

// Fetcher brings what records point at. It is safe for concurrent use.
type Fetcher struct {
	cfg    Config
	roots  []root
	hosts  []host
	client *http.Client
	guard  func(address string) error // of each address before it is dialed
}

// New opens the roots. Close closes them.
func New(cfg Config) (*Fetcher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	f := &Fetcher{cfg: cfg, guard: checkAddress}
	for _, text := range cfg.Hosts {
		h, err := parseHost(text)
		if err != nil {
			return nil, fmt.Errorf("fetch: hosts: %q: %w", text, err)
		}
		f.hosts = append(f.hosts, h)
	}
	for _, path := range cfg.Roots {
		r, err := openRoot(path)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("fetch: root: %w", err), f.Close())
		}
		f.roots = append(f.roots, r)
	}
	f.client = f.newClient(nil)
	return f, nil
}

// Close closes the roots and the idle connections.
func (f *Fetcher) Close() error {
	if f.client != nil {
		f.client.CloseIdleConnections()
	}
	var errs []error
	for _, r := range f.roots {
		errs = append(errs, r.dir.Close())
	}
	return errors.Join(errs...)
}

// Fetch brings an item to be encoded: the record's own text or data, else what its URI points
// at. The media type is the record's, else the server's. The text of a text is in Text, as UTF-8
// without a byte order mark.
func (f *Fetcher) Fetch(ctx context.Context, m Media) (feature.Item, error) {
	item := feature.Item{Kind: m.Kind, MediaType: m.MediaType, Data: m.Data, Text: m.Text}
	if item.Text == "" && len(item.Data) == 0 {
		var mediaType string
		var err error
		if item.Data, mediaType, err = f.get(ctx, m.URI); err != nil {
			return feature.Item{}, fmt.Errorf("fetch: %s: %w", shown(m.URI), err)
		}
		if item.MediaType == "" {
			item.MediaType = mediaType
		}
	}
	if size := int64(max(len(item.Data), len(item.Text))); size > f.cfg.MaxBytes {
		return feature.Item{}, fmt.Errorf("fetch: %w", f.tooLarge())
	}
	if item.Kind == "text" && item.Text == "" {
		if !utf8.Valid(item.Data) {
			return feature.Item{}, fmt.Errorf("fetch: %w", feature.Refuse(feature.ReasonUnsupported, "a text that is not UTF-8"))
		}
		item.Text, item.Data = strings.TrimPrefix(string(item.Data), "\ufeff"), nil
	}
	if len(item.Data) == 0 && item.Text == "" {
		return feature.Item{}, fmt.Errorf("fetch: %w", feature.Refuse(feature.ReasonEmpty, "no bytes"))
	}
	return item, nil
}

// Refuses returns why Fetch never brings what is at a URI, as far as that can be told without looking there: what is
// no URI, and what configuration does not allow. It returns nil for all others.
func (f *Fetcher) Refuses(uri string) *feature.Refusal {
	_, err := f.locate(uri)
	refusal, _ := feature.AsRefusal(err)
	return refusal
}

// locate parses a URI, and refuses it where Fetch need not look there.
func (f *Fetcher) locate(uri string) (*url.URL, error) {
	if uri == "" {
		return nil, feature.Refuse(feature.ReasonEmpty, "neither text nor data nor a uri")
	}
	u, err := url.Parse(uri)
	if err != nil {
		return nil, forbidden("not a URI: %v", errors.Unwrap(err))
	}
	switch u.Scheme {
	case "file":
		_, err = f.placesOf(u)
	case "http", "https":
		err = f.checkURL(u)
	case "":
		err = forbidden("relative, and what to is not known here (kilim feed makes such a uri absolute)")
	default:
		err = forbidden("scheme %q: want file, http or https", u.Scheme)
	}
	return u, err
}

// get brings the bytes of a URI.
func (f *Fetcher) get(ctx context.Context, uri string) (data []byte, mediaType string, err error) {
	u, err := f.locate(uri)
	if err != nil {
		return nil, "", err
	}
	if u.Scheme == "file" {
		data, err = f.readFile(u)
		return data, "", err
	}
	return f.download(ctx, u)
}

// readAll reads a stream as far as items may be large.
func (f *Fetcher) readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, f.cfg.MaxBytes+1))
	if int64(len(data)) > f.cfg.MaxBytes {
		return nil, f.tooLarge()
	}
	return data, err
}

func (f *Fetcher) tooLarge() error {
	return feature.Refuse(feature.ReasonTooManyBytes, "more than %d bytes", f.cfg.MaxBytes)
}

func forbidden(format string, args ...any) error {
	return feature.Refuse(feature.ReasonNotAllowed, format, args...)
}

// shown is a URI for people: not longer than a line.
func shown(uri string) string {
	const most = 200
	if len(uri) > most {
		uri = uri[:most] + "…"
	}
	return fmt.Sprintf("%q", uri)
}
