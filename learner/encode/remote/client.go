package remote

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	// headerFileBytes is far above what any server accepts in headers.
	headerFileBytes   = 64 << 10
	replyHeaderBytes  = 64 << 10
	idleBeforeClosing = 90 * time.Second
)

// newClient is for one server.
func newClient(c *Config) (*http.Client, error) {
	t := &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		ForceAttemptHTTP2: true,
		// A connection of each request under way is kept; the default of two would close the others.
		MaxIdleConnsPerHost: c.Concurrency, IdleConnTimeout: idleBeforeClosing,
		MaxResponseHeaderBytes: replyHeaderBytes,
		// What is unpacked would not be bounded by what is received.
		DisableCompression: true,
	}
	var err error
	if t.TLSClientConfig, err = c.TLS.config(); err != nil {
		return nil, err
	}
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

func (t TLS) config() (*tls.Config, error) {
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls.ca-file: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca-file: %q holds no certificate in PEM form", t.CAFile)
		}
	}
	if t.CertFile == "" {
		return out, nil
	}
	load := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("tls.cert-file %q: %w", t.CertFile, err)
		}
		return &pair, nil
	}
	if _, err := load(); err != nil {
		return nil, err
	}
	out.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	return out, nil
}

// readHeaders reads the header file into h. Its errors show no values.
func readHeaders(path string, h http.Header) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("header-file: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, headerFileBytes+1))
	lines.Buffer(nil, headerFileBytes)
	size := 0
	for no := 1; lines.Scan(); no++ {
		line := strings.TrimSpace(lines.Text())
		if size += len(lines.Text()) + 1; size > headerFileBytes {
			return fmt.Errorf("header-file %q: more than %d bytes", path, headerFileBytes)
		}
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || !isToken(name) {
			return fmt.Errorf("header-file %q: line %d: want \"Name: value\"", path, no)
		}
		if strings.EqualFold(name, "Host") || strings.EqualFold(name, "Content-Length") {
			return fmt.Errorf("header-file %q: line %d: %s follows from the request", path, no, name)
		}
		h.Set(name, strings.TrimSpace(value))
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return fmt.Errorf("header-file %q: more than %d bytes", path, headerFileBytes)
		}
		return fmt.Errorf("header-file: %w", err)
	}
	return nil
}

// isToken tells whether a text can name a header (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
}
