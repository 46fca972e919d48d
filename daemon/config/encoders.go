package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"kilim/learner/encode/feature"
	"kilim/learner/encode/fetch"
	"kilim/learner/encode/remote"
	"kilim/learner/encode/text"
)

// Encoders say what makes vectors of each modality.
type Encoders struct {
	Text  Encoder `embed:"" prefix:"text."`
	Image Encoder `embed:"" prefix:"image."`
	Audio Encoder `embed:"" prefix:"audio."`
}

// Kinds of encoders that are not servers; those are remote.Kinds.
const (
	Builtin     = "builtin"
	Precomputed = "precomputed"
	None        = "none"
)

// leastText is the shortest vector that the built-in encoder of texts makes.
const leastText = 4

// Encoder says what makes the vectors of one modality.
type Encoder struct {
	Kind        string        `default:"builtin" oneof:"builtin,openai,tei,ollama,http,precomputed,none" help:"What makes the vectors: builtin; a server that speaks as openai, tei (text-embeddings-inference), ollama or http (go doc kilim/learner/encode/remote) do, the first three for text only; precomputed, which takes media[].embedding of the records; or none, but not for text. Another encoder encodes everything again."`
	URL         URL           `name:"url" placeholder:"URL" help:"Address of the server. Without a path the kind's own is asked. The values of its query are shown nowhere; a secret is better in the header file all the same, for others can read a process' flags."`
	Model       string        `placeholder:"NAME" help:"Name of the model that the server runs, or media[].encoder of the precomputed vectors. Vectors of different names are never mixed."`
	Version     int           `default:"1" min:"1" max:"1000000" help:"Raise it when the model behind the name changes: everything is encoded again."`
	Dimension   int           `default:"0" min:"0" max:"16384" help:"Numbers of a vector, of a server or precomputed. A vector of another length is an error."`
	Timeout     time.Duration `default:"30s" min:"10ms" max:"1h" help:"Time of one request to the server."`
	Batch       int           `default:"32" min:"1" max:"2048" help:"Items of one request to the server at most. Some refuse more than 32."`
	Concurrency int           `default:"2" min:"1" max:"1000" help:"Requests to the server under way at once. One keeps a server waiting while the answer travels; more than it works on at once only wait there."`
	HeaderFile  string        `placeholder:"FILE" help:"Lines of 'Name: value' sent as headers with each request, such as 'Authorization: Bearer ...'. Read anew for each request. There is no flag for a secret, for others can read a process' flags."`
	Spellings   string        `placeholder:"FILE" help:"For texts: letters and words of your own that are read as others, such as those of a historical language (go doc kilim/learner/encode/text.Spellings). They are read beside the built-in ones, whatever the kind; another file is as another encoder."`
	TLS         EncoderTLS    `name:"tls" embed:"" prefix:"tls."`
}

// EncoderTLS is for a server whose address is https. All files are PEM.
type EncoderTLS struct {
	CAFile   string `name:"ca-file" placeholder:"FILE" help:"Certificate authorities of the server, instead of the system's."`
	CertFile string `placeholder:"FILE" help:"The client's own certificate, for mutual TLS. Read anew at each connection, as is its key."`
	KeyFile  string `placeholder:"FILE" help:"The key of the client's certificate."`
}

// ReadSpellings reads the file of spellings; nil without one.
func (e *Encoder) ReadSpellings() (*text.Spellings, error) {
	if e.Spellings == "" {
		return nil, nil
	}
	f, err := os.Open(e.Spellings)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := text.ReadSpellings(f)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", e.Spellings, err)
	}
	return s, nil
}

// Server tells whether the encoder is a server.
func (e *Encoder) Server() bool { return slices.Contains(remote.Kinds(), e.Kind) }

// Remote are the settings of an encoder that is a server, for "text", "image" or "audio".
func (e *Encoder) Remote(modality string) remote.Config {
	return remote.Config{
		Kind: e.Kind, Modality: modality, URL: string(e.URL), Model: e.Model, Version: e.Version, Dim: e.Dimension,
		Timeout: e.Timeout, Batch: e.Batch, Concurrency: e.Concurrency, HeaderFile: e.HeaderFile,
		TLS: remote.TLS{CAFile: e.TLS.CAFile, CertFile: e.TLS.CertFile, KeyFile: e.TLS.KeyFile},
	}
}

// Precomputed is the identity of precomputed vectors: those whose media[].encoder is its
// name and which have its length. Vectors of another encoder are not of this identity.
func (e *Encoder) Precomputed() feature.Identity {
	return feature.Identity{Name: e.Model, Version: e.Version, Dim: e.Dimension}
}

func (e *Encoders) check() []*Fault {
	faults := e.Text.check("text")
	faults = append(faults, e.Image.check("image")...)
	faults = append(faults, e.Audio.check("audio")...)
	// A record names the encoder of a vector that it brings, and package profile refuses two lengths under one name: so one
	// name must not have two dimensions here.
	named := []struct {
		modality string
		*Encoder
	}{{"text", &e.Text}, {"image", &e.Image}, {"audio", &e.Audio}}
	for i, a := range named {
		for _, b := range named[:i] {
			if a.Model != "" && a.Model == b.Model && a.Dimension != b.Dimension {
				faults = append(faults, faultf("encoders."+a.modality+".model", "%q: is that of encoders.%s too, with another dimension", a.Model, b.modality))
			}
		}
	}
	return faults
}

func (e *Encoder) check(modality string) []*Fault {
	prefix := "encoders." + modality + "."
	var faults []*Fault
	for _, f := range []struct{ key, path string }{
		{"header-file", e.HeaderFile}, {"tls.ca-file", e.TLS.CAFile}, {"tls.cert-file", e.TLS.CertFile}, {"tls.key-file", e.TLS.KeyFile},
	} {
		faults = append(faults, checkFile(prefix+f.key, f.path)...)
	}
	if modality != "text" && e.Spellings != "" {
		faults = append(faults, faultf(prefix+"spellings", "%q: is for text only", e.Spellings))
	} else if _, err := e.ReadSpellings(); err != nil {
		faults = append(faults, faultf(prefix+"spellings", "%v", err))
	}
	if modality == "text" {
		// Whatever encodes the artifacts' texts, the built-in encoder makes the vectors of the entities' labels, in the same
		// length.
		if e.Kind == None {
			faults = append(faults, faultf(prefix+"kind", "%q: is for image and audio; want another, such as %s", e.Kind, Builtin))
		} else if e.Kind != Builtin && e.Dimension > 0 && e.Dimension < leastText {
			faults = append(faults, faultf(prefix+"dimension", "%d: want %d or more for text", e.Dimension, leastText))
		}
	}
	if e.URL.shown() {
		faults = append(faults, faultf(prefix+"url", "%q: is printed without its secrets; want the whole address", e.URL))
	}
	if e.Server() {
		return append(faults, under(prefix, e.Remote(modality).Validate())...)
	}
	// These settings have no effect with a kind that is no server: whoever sets one believes that a server is asked.
	unused := []struct{ key, value string }{
		{"url", e.URL.String()}, {"header-file", e.HeaderFile},
		{"tls.ca-file", e.TLS.CAFile}, {"tls.cert-file", e.TLS.CertFile}, {"tls.key-file", e.TLS.KeyFile},
	}
	if e.Kind == Precomputed {
		if e.Model == "" {
			faults = append(faults, faultf(prefix+"model", "empty: want the name in media[].encoder of the precomputed vectors"))
		}
		if e.Dimension < 1 {
			faults = append(faults, faultf(prefix+"dimension", "%d: want that of the precomputed vectors, 1 or more", e.Dimension))
		}
	} else {
		unused = append(unused, struct{ key, value string }{"model", e.Model})
	}
	for _, u := range unused {
		if u.value != "" {
			faults = append(faults, faultf(prefix+u.key, "%q: is given and %skind is %s", u.value, prefix, e.Kind))
		}
	}
	return faults
}

// Media says what may be fetched to be encoded.
type Media struct {
	Root      List          `name:"root" aliases:"media-root" placeholder:"DIR" help:"Folders whose files may be read for media with a file: URI, separated by commas; the flag may be repeated and is --media-root too. None by default."`
	Hosts     List          `placeholder:"HOST" help:"Hosts that media with an http: or https: URI may be fetched from, separated by commas: example.org, example.org:8080 or *.example.org. None by default. Private and local addresses are refused in any case."`
	MaxBytes  Bytes         `default:"64MiB" min:"1KiB" max:"1GiB" help:"A larger item is not encoded."`
	MaxPixels int           `default:"50331648" min:"65536" max:"1000000000" help:"Pixels of a picture that the built-in encoder takes, by its header: one with more is refused as too_many_pixels."`
	MaxMemory Bytes         `default:"512MiB" min:"1MiB" max:"64GiB" help:"Memory that a picture may take while the built-in encoder decodes it, by its header, or it is refused as too_many_pixels: 3 bytes a pixel for most JPEGs, up to 15 for progressive ones and up to 16 for the others. An eighth of memory.limit at most, which all pictures together keep to. Pictures are decoded at the same time on half of the processors."`
	Timeout   time.Duration `default:"1m" min:"10ms" max:"1h" help:"Time to fetch one item over the network."`
}

// Fetch are the settings of what brings the bytes of media; userAgent is told to servers.
func (m *Media) Fetch(userAgent string) fetch.Config {
	return fetch.Config{Roots: m.Root, Hosts: m.Hosts, MaxBytes: int64(m.MaxBytes), Timeout: m.Timeout, UserAgent: userAgent}
}

func (m *Media) check() []*Fault { return under("media.", m.Fetch("").Validate()) }

// under turns the faults that another package found in its settings into Faults with this package's keys.
func under(prefix string, err error) []*Fault {
	all, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var faults []*Fault
	for _, err := range all.Unwrap() {
		var server *remote.Fault
		var media *fetch.Fault
		switch {
		case errors.As(err, &server):
			faults = append(faults, faultf(prefix+server.Setting, "%s", server.Detail))
		case errors.As(err, &media):
			faults = append(faults, faultf(prefix+media.Setting, "%s", media.Detail))
		default:
			faults = append(faults, faultf(strings.TrimSuffix(prefix, "."), "%v", err))
		}
	}
	return faults
}
