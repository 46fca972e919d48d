package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	toolkit "github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/net/netutil"

	"kilim/consumer/profile"
	"kilim/daemon/web/page"
)

// Config of a Server.
type Config struct {
	Addr string // host:port; port 0 takes a free one
	// WebConfigFile is the exporter-toolkit's, for TLS and basic authentication; may be empty.
	WebConfigFile string
	// Hosts are names that a request may ask for, beside IP addresses and localhost; a few, without a port. See admit.
	Hosts   []string
	Limits  profile.Limits // of artifacts in a request's body
	Version string         // shown on the index page
}

const (
	headerTimeout   = 5 * time.Second
	readTimeout     = 30 * time.Second // the whole request: a body is at most a record
	writeTimeout    = time.Minute
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 5 * time.Second
	// maxConnections are open at once; the next ones wait. Each may hold a body of a record's size.
	maxConnections = 512
	// headerBytes has room for the longest id, percent-escaped, several times.
	headerBytes = 16 << 10
)

type limits struct{ Profile profile.Limits }

func (l limits) bodyBytes() int64 {
	if n := l.Profile.RecordBytes; n > 0 {
		return int64(n)
	}
	return int64(profile.DefaultLimits().RecordBytes)
}

// Server answers HTTP. It is also the bare http.Handler, without TLS and authentication.
type Server struct {
	cfg         Config
	service     Service
	log         *slog.Logger
	limits      limits
	metrics     *metrics
	crossOrigin *http.CrossOriginProtection
	searches    *turns // of the artifacts in bodies
	asks        *turns // whose bodies are read
	evaluations *turns
	endpoints   map[string]endpoint
	media       *turns // of whole pictures and recordings
	finds       *turns // of searches by words
	pages       *page.Page
	// stopping ends when Serve begins to stop: who looks at what changes would hold it up.
	stopping context.Context
	stop     context.CancelFunc
	listener net.Listener
}

// New returns a Server whose metrics are registered. It does not listen yet.
func New(cfg Config, service Service, reg Registry, log *slog.Logger) (*Server, error) {
	m, err := newMetrics(reg)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, service: service, log: log.With("part", "web"), limits: limits{cfg.Limits}, metrics: m,
		crossOrigin: http.NewCrossOriginProtection(),
		searches:    newTurns(searchesAtOnce, searchWait, "searches for artifacts that are not stored"),
		asks:        newTurns(asksAtOnce, searchWait, "questions"),
		evaluations: newTurns(1, 0, "evaluations"),
		media:       newTurns(mediaAtOnce, mediaWait, "pictures and recordings"),
		finds:       newTurns(searchesAtOnce, searchWait, "searches"),
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	if s.pages, err = page.New(cfg.Version); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	s.endpoints = s.routes()
	return s, nil
}

// Listen takes the address. Its error says so when another process has taken it.
func (s *Server) Listen() error {
	l, err := net.Listen("tcp", s.cfg.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("http: %q is taken: is another kilim running? Give --http another port", s.cfg.Addr)
	}
	if err != nil {
		return fmt.Errorf("http: %q: %w", s.cfg.Addr, err)
	}
	s.listener = netutil.LimitListener(l, maxConnections)
	return nil
}

// Addr returns the address that Listen took, with its port.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve answers until ctx ends, then lets the requests in progress finish for
// at most five seconds, and closes the listener. Listen must have succeeded.
func (s *Server) Serve(ctx context.Context) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() {
		done <- toolkit.Serve(s.listener, server, &toolkit.FlagConfig{WebConfigFile: &s.cfg.WebConfigFile}, s.log)
	}()
	select {
	case err := <-done:
		return errors.Join(fmt.Errorf("http: %w", err), ignoreClosed(s.listener.Close()))
	case <-ctx.Done():
	}
	s.stop()
	// ctx has ended, so requests in progress get a context of their own, bounded by shutdownTimeout.
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(bounded)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("requests in progress were cut off", "after", shutdownTimeout)
		err = server.Close()
	}
	if served := <-done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	// Shutdown closes the listener only if toolkit.Serve has come to know it; ctx may have ended before.
	if err = errors.Join(err, ignoreClosed(s.listener.Close())); err != nil {
		return fmt.Errorf("http: %w", err)
	}
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
