package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// admit refuses requests that a web page may have made a browser send: to whoever runs the browser the daemon on the same machine
// answers without authentication.
//
// It comes before everything else, for all paths.
func (s *Server) admit(r *http.Request) error {
	if s.asksForHost(r) && !s.known(r.Host) {
		return fail(http.StatusMisdirectedRequest, "host %q is not one of this server: ask for its IP address or localhost, or name the host in http-hosts", r.Host)
	}
	// Check lets through what is no browser's, and GET and HEAD, which change nothing and whose answers a page of another site can't read.
	if err := s.crossOrigin.Check(r); err != nil {
		return fail(http.StatusForbidden, "%v", err)
	}
	return nil
}

// asksForHost tells whether the Host of a request matters. The owner of a domain can have its name lead to 127.0.0.1 (DNS
// rebinding): then a page of theirs is of one origin with the daemon, may read the archive and change what serves, and only its
// name gives it away. Elsewhere than on loopback the daemon is reached by names that only Config.Hosts could tell, and with
// Config.WebConfigFile by a password.
func (s *Server) asksForHost(r *http.Request) bool {
	if len(s.cfg.Hosts) > 0 {
		return true
	}
	if s.cfg.WebConfigFile != "" {
		return false
	}
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return true
	}
	at, err := netip.ParseAddrPort(addr.String())
	return err != nil || at.Addr().Unmap().IsLoopback()
}

// known tells whether a Host, with or without a port, is an IP address, localhost or one of Config.Hosts. Without a Host, in HTTP/1.0, no
// browser asks.
func (s *Server) known(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"), ".")
	if _, err := netip.ParseAddr(name); err == nil || host == "" || strings.EqualFold(name, "localhost") {
		return true
	}
	return slices.ContainsFunc(s.cfg.Hosts, func(h string) bool { return strings.EqualFold(h, name) })
}
