package remote

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"kilim/internal/redact"
	"kilim/learner/encode/feature"
)

// Kinds of servers, by the form of their requests.
const (
	OpenAI = "openai"
	TEI    = "tei"
	Ollama = "ollama"
	HTTP   = "http"
)

// Kinds are all kinds of servers.
func Kinds() []string { return []string{OpenAI, TEI, Ollama, HTTP} }

// Config says which server encodes what, and how it is asked.
type Config struct {
	Kind     string // OpenAI, TEI, Ollama or HTTP
	Modality string // of the items: "text", "image" or "audio"; only HTTP takes other than text
	// URL is the server's address, http or https. Without a path, the kind's own is asked;
	// with one, it is the place of the requests as it stands.
	URL string
	// Model is the identity's name, and what OpenAI, Ollama and HTTP servers are asked for.
	Model   string
	Version int // the identity's; raised when the server's model changes under the same name
	Dim     int // of every vector; a reply of another length is an error

	Timeout     time.Duration // of one request, from the connection to the last byte
	Batch       int           // items of one request at most
	Concurrency int           // requests under way at most, of all calls together

	// HeaderFile holds lines of "Name: value" to be sent with each request; it is read anew
	// for each, so that a secret may be changed while the daemon runs. Empty for none.
	HeaderFile string
	TLS        TLS
}

// TLS is for https. All files are PEM.
type TLS struct {
	CAFile string // replaces the system's authorities; read by New
	// CertFile and KeyFile are the client's own certificate, both or none; read at each handshake.
	CertFile, KeyFile string
}

// Fault is a setting that can't be used.
type Fault struct {
	Setting string // such as "url" or "tls.cert-file"
	Detail  string // with the value and what is allowed
}

func (f *Fault) Error() string { return f.Setting + ": " + f.Detail }

// Validate returns all faults in one error (each one a *Fault), or nil. It reads no files.
func (c Config) Validate() error {
	var faults []error
	add := func(setting, format string, args ...any) {
		faults = append(faults, &Fault{setting, fmt.Sprintf(format, args...)})
	}
	if !slices.Contains(Kinds(), c.Kind) {
		add("kind", "%q: want %s", c.Kind, strings.Join(Kinds(), ", "))
	}
	switch c.Modality {
	case "text":
	case "image", "audio":
		if c.Kind != HTTP {
			add("kind", "%q: takes text, and this is for %s; want %s", c.Kind, c.Modality, HTTP)
		}
	default:
		add("modality", "%q: want text, image or audio", c.Modality)
	}
	secure, err := checkURL(c.URL)
	if err != nil {
		add("url", "%q: %v", redact.URL(c.URL), err)
	}
	if c.Model == "" {
		add("model", "empty: want the name of what the server runs")
	}
	for _, n := range []struct {
		setting string
		value   int
	}{{"version", c.Version}, {"dimension", c.Dim}, {"batch", c.Batch}, {"concurrency", c.Concurrency}} {
		if n.value < 1 {
			add(n.setting, "%d: want 1 or more", n.value)
		}
	}
	if c.Timeout <= 0 {
		add("timeout", "%v: want more than 0", c.Timeout)
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		add("tls.cert-file", "%q with tls.key-file %q: give both or none", c.TLS.CertFile, c.TLS.KeyFile)
	}
	// Someone who gives a certificate believes that the wire is encrypted.
	if given := c.TLS.CAFile + c.TLS.CertFile + c.TLS.KeyFile; given != "" && err == nil && !secure {
		add("url", "%q: TLS files are given, want https", redact.URL(c.URL))
	}
	return errors.Join(faults...)
}

// Identity is that of the vectors.
func (c Config) Identity() feature.Identity {
	return feature.Identity{Name: c.Model, Version: c.Version, Dim: c.Dim}
}

func checkURL(text string) (secure bool, err error) {
	if text == "" {
		return false, errors.New("want the address of the server, such as http://127.0.0.1:8080")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		reason := errors.Unwrap(err) // without the text, which may hold a secret
		if strings.ContainsRune(reason.Error(), '"') {
			reason = errors.New("is not an address") // the reason quotes a part, maybe of a password with a slash in it
		}
		return false, reason
	case u.Scheme != "http" && u.Scheme != "https":
		return false, errors.New("want http:// or https://")
	case u.Hostname() == "":
		return false, errors.New("names no host")
	case u.User != nil:
		return false, errors.New("a password in an address is shown in logs: put it into the header file")
	case u.Fragment != "":
		return false, errors.New("has a fragment, which servers never see")
	}
	return u.Scheme == "https", nil
}

// endpoint is where the requests go.
func (c Config) endpoint() (string, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return "", err
	}
	if u.Path == "" || u.Path == "/" {
		switch c.Kind {
		case OpenAI:
			u.Path = "/v1/embeddings"
		case TEI:
			u.Path = "/embed"
		case Ollama:
			u.Path = "/api/embed"
		case HTTP:
			u.Path = "/"
		}
	}
	return u.String(), nil
}
