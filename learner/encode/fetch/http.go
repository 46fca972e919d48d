package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"syscall"

	"kilim/internal/redact"
	"kilim/learner/encode/feature"
)

const (
	maxRedirects = 5
	connsPerHost = 4 // archives' servers are often small
	idleConns    = 32
	headerBytes  = 64 << 10
)

var errRedirects = fmt.Errorf("more than %d redirects", maxRedirects)

// newClient dials what f.guard lets pass. The resolver is the system's when nil.
func (f *Fetcher) newClient(resolver *net.Resolver) *http.Client {
	dialer := &net.Dialer{
		Resolver: resolver,
		// It is called for each address that is tried, after the resolution.
		Control: func(_, address string, _ syscall.RawConn) error { return f.guard(address) },
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:       dialer.DialContext,
			ForceAttemptHTTP2: true,
			MaxConnsPerHost:   connsPerHost, MaxIdleConns: idleConns,
			MaxResponseHeaderBytes: headerBytes,
			// What is unpacked would not be what the server says of its size.
			DisableCompression: true,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errRedirects
			}
			return f.checkURL(req.URL)
		},
	}
}

// checkURL refuses an address that configuration does not allow.
func (f *Fetcher) checkURL(u *url.URL) error {
	schemePort := ""
	switch u.Scheme {
	case "http":
		schemePort = "80"
	case "https":
		schemePort = "443"
	default:
		return forbidden("scheme %q, want http or https", u.Scheme)
	}
	if u.User != nil {
		return forbidden("holds credentials")
	}
	name, port := canonical(u.Hostname()), u.Port()
	if port == "" {
		port = schemePort
	}
	for _, h := range f.hosts {
		if h.allows(name, port, schemePort) {
			return nil
		}
	}
	return forbidden("host %q is not one of media.hosts", u.Host)
}

// download brings what is at an address that checkURL allows. An image is asked for in a bounded size, where the
// server knows how.
func (f *Fetcher) download(ctx context.Context, u *url.URL) (data []byte, mediaType string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, f.cfg.Timeout, fmt.Errorf("not fetched within %v", f.cfg.Timeout))
	defer cancel()
	if small := bounded(u); small != nil {
		data, mediaType, err = f.request(ctx, small)
		if !onlyFull(err) {
			return data, mediaType, err
		}
	}
	data, mediaType, err = f.request(ctx, u)
	var s *statusError
	if errors.As(err, &s) && (s.code == http.StatusNotFound || s.code == http.StatusGone) {
		err = feature.Refuse(feature.ReasonNotFound, "%v", s)
	}
	return data, mediaType, err
}

// onlyFull tells whether a server may have an image in no other than the full size, as those of
// compliance level 0. They say so in various ways.
func onlyFull(err error) bool {
	var s *statusError
	return errors.As(err, &s) && slices.Contains([]int{
		http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusNotImplemented,
	}, s.code)
}

// statusError is an answer of another status than 200.
type statusError struct {
	code int
	text string
}

func (s *statusError) Error() string { return "the server answers " + s.text }

func (f *Fetcher) request(ctx context.Context, u *url.URL) (data []byte, mediaType string, err error) {
	plain := *u
	plain.Fragment = ""
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, plain.String(), nil)
	if err != nil {
		return nil, "", forbidden("%v", redact.Error(err))
	}
	req.Header.Set("User-Agent", f.cfg.UserAgent)
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, "", unreachable(inTime(ctx, redact.Error(err))) // an address may be signed
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		err := &statusError{resp.StatusCode, resp.Status}
		if slices.Contains([]int{
			http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		}, err.code) {
			return nil, "", &feature.Unreachable{Err: err}
		}
		return nil, "", err
	}
	if resp.ContentLength > f.cfg.MaxBytes {
		return nil, "", f.tooLarge()
	}
	data, err = f.readAll(resp.Body)
	if err != nil {
		return nil, "", inTime(ctx, err)
	}
	return data, resp.Header.Get("Content-Type"), nil
}

// unreachable marks an error of a request without an answer as one of the host, unless what the address says is the reason.
func unreachable(err error) error {
	if _, refused := feature.AsRefusal(err); refused || errors.Is(err, errRedirects) {
		return err
	}
	return &feature.Unreachable{Err: err}
}

// inTime names the bound on the time where that has ended a request.
func inTime(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}
