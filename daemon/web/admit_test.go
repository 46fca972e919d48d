package web

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// arriving is a request for a host that came in at a local address.
func arriving(method, target, host, at string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader("{}"))
	r.Host = host
	addr := net.TCPAddr{IP: net.ParseIP(at), Port: 9464}
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&addr)))
}

func everyPath() map[string]string {
	return map[string]string{
		"/": "GET", "/metrics": "GET", "/-/healthy": "GET", "/-/ready": "HEAD", "/api/v1/status": "GET", "/api/v1/artifacts/x": "GET",
		"/api/v1/artifacts/x/similar": "GET", "/api/v1/similar": "POST", "/api/v1/evaluate": "POST", "/api/v1/models": "GET", "/api/v1/cultures": "GET",
		"/api/v1/models/1/promote": "POST", "/api/v1/models/1/rollback": "POST", "/nothing": "GET",
		"/page/main.js": "GET", "/api/v1/lists": "GET", "/api/v1/search": "GET", "/api/v1/search/values": "GET", "/api/v1/live": "HEAD",
		"/api/v1/artifacts/x/view": "GET", "/api/v1/artifacts/x/list": "GET", "/api/v1/artifacts/x/card": "GET", "/api/v1/artifacts/x/why": "GET", "/api/v1/artifacts/x/history": "GET",
		"/api/v1/artifacts/x/media/0": "GET", "/api/v1/artifacts/x/media/0/picture": "GET",
	}
}

// TestHost: with a name that leads to loopback but is none of the server's, nothing is answered.
func TestHost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host, at string
		cfg      Config
		refused  bool
	}{
		{host: "evil.example:9464", at: "127.0.0.1", refused: true},
		{host: "evil.example", at: "127.0.0.2", refused: true},
		{host: "evil.example", at: "::1", refused: true},
		{host: "evil.example", at: "::ffff:127.0.0.1", refused: true},
		{host: "127.0.0.1.evil.example", at: "127.0.0.1", refused: true},
		{host: "localhost.evil.example", at: "127.0.0.1", refused: true},
		{host: "localhost@evil.example", at: "127.0.0.1", refused: true},
		{host: "2130706433", at: "127.0.0.1", refused: true},
		{host: "other.example", at: "127.0.0.1", cfg: Config{Hosts: []string{"archive.example"}}, refused: true},
		{host: "other.example", at: "10.1.2.3", cfg: Config{Hosts: []string{"archive.example"}}, refused: true},
		{host: "other.example", at: "127.0.0.1", cfg: Config{Hosts: []string{"archive.example"}, WebConfigFile: "web.yaml"}, refused: true},
		{host: "localhost", at: "127.0.0.1"},
		{host: "LocalHost.:9464", at: "127.0.0.1"},
		{host: "127.0.0.1:9464", at: "127.0.0.1"},
		{host: "192.168.1.5", at: "127.0.0.1"},
		{host: "[::1]:9464", at: "::1"},
		{host: "[::1]", at: "::1"},
		{host: "", at: "127.0.0.1"},
		{host: "Archive.Example:443", at: "127.0.0.1", cfg: Config{Hosts: []string{"archive.example"}}},
		{host: "127.0.0.1", at: "127.0.0.1", cfg: Config{Hosts: []string{"archive.example"}}},
		{host: "archive.example", at: "127.0.0.1", cfg: Config{WebConfigFile: "web.yaml"}},
		{host: "kilim:9464", at: "172.17.0.2"},
	} {
		f := &fake{}
		s := serverOf(t, c.cfg, f)
		for path, method := range everyPath() {
			w := httptest.NewRecorder()
			f.asked = nil
			s.ServeHTTP(w, arriving(method, path, c.host, c.at))
			if (w.Code == http.StatusMisdirectedRequest) != c.refused {
				t.Errorf("host %q at %s, %s %s: status %d", c.host, c.at, method, path, w.Code)
			}
			if c.refused && (f.lastAsked() != "" || !strings.Contains(errorText(t, w), "http-hosts")) {
				t.Errorf("host %q, %s: the service was asked %q", c.host, path, f.lastAsked())
			}
		}
	}
}

// TestHostOverTheNetwork: the server sees where a connection came in.
func TestHostOverTheNetwork(t *testing.T) {
	t.Parallel()
	s, _, _ := start(t, Config{}, &fake{})
	for host, want := range map[string]int{"evil.example": 421, "localhost": 200, "": 200} {
		r, err := http.NewRequest(http.MethodGet, "http://"+s.Addr().String()+"/api/v1/status", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil || res.StatusCode != want {
			t.Errorf("host %q: status %d, want %d (%v)", host, res.StatusCode, want, err)
		}
	}
}

// TestOtherSites sends what a browser sends for a page of another site: it gets no POST through, and a client that is no browser does.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	for path, method := range everyPath() {
		if method != http.MethodPost {
			continue
		}
		for name, header := range map[string][2]string{
			"fetch metadata": {"Sec-Fetch-Site", "cross-site"}, "same site": {"Sec-Fetch-Site", "same-site"},
			"origin": {"Origin", "https://example.org"}, "file": {"Origin", "null"}, "none": {},
		} {
			f := &fake{}
			r := arriving(method, path, "localhost", "127.0.0.1")
			refused := header[0] != ""
			if refused {
				r.Header.Set(header[0], header[1])
			}
			w := httptest.NewRecorder()
			newServer(t, f).ServeHTTP(w, r)
			if (w.Code == http.StatusForbidden) != refused || refused && f.lastAsked() != "" {
				t.Errorf("%s, %s: %d, the service was asked %q", path, name, w.Code, f.lastAsked())
			}
		}
	}
}
