package fetch

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"kilim/learner/encode/feature"
)

// names is a resolver that answers each name with one of its lists of addresses after the other, and
// with the last one from then on.
type names struct {
	mu sync.Mutex
	of map[string][][]string
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe() // is no packet connection, so messages have their length before them
		go n.serve(server)
		return client, nil
	}}
}

func (n *names) serve(c net.Conn) {
	defer c.Close()
	for {
		var size uint16
		if binary.Read(c, binary.BigEndian, &size) != nil {
			return
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(c, text); err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(text) != nil || len(m.Questions) != 1 {
			return
		}
		m.Response, m.RecursionAvailable = true, true
		m.Additionals = nil
		q := m.Questions[0]
		addresses, known := n.next(strings.TrimSuffix(q.Name.String(), "."), q.Type == dnsmessage.TypeA)
		if !known {
			m.RCode = dnsmessage.RCodeNameError
		}
		for _, a := range addresses {
			ip := netip.MustParseAddr(a)
			h := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 0}
			if ip.Is4() && q.Type == dnsmessage.TypeA {
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: ip.As4()}})
			} else if ip.Is6() && q.Type == dnsmessage.TypeAAAA {
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
			}
		}
		reply, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

// next moves on with the question for IPv4; the one for IPv6 sees the same or the next list.
func (n *names) next(name string, move bool) (addresses []string, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	lists, ok := n.of[name]
	if !ok {
		return nil, false
	}
	if move && len(lists) > 1 {
		n.of[name] = lists[1:]
	}
	return lists[0], true
}

// museum is a server on loopback, which "museum.example" and its port stand for. The guard
// lets loopback pass, and nothing else.
func museum(t *testing.T, timeout time.Duration, serve http.HandlerFunc) (f *Fetcher, base string) {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	f = open(t, Config{Hosts: []string{"museum.example:" + port, "*.archive.example", "169.254.169.254:80"}, Timeout: timeout})
	f.guard = func(address string) error {
		if ap, err := netip.ParseAddrPort(address); err == nil && ap.Addr().IsLoopback() {
			return nil
		}
		return checkAddress(address)
	}
	f.client = f.newClient((&names{of: map[string][][]string{"museum.example": {{"127.0.0.1"}}}}).resolver())
	return f, "http://museum.example:" + port
}

func TestDownload(t *testing.T) {
	t.Parallel()
	f, base := museum(t, 0, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/a b":
			if r.UserAgent() != "kilim/test" {
				t.Errorf("headers %v", r.Header)
			}
			w.Header().Set("Content-Type", "image/webp")
			fmt.Fprint(w, "picture?", r.URL.RawQuery)
		case "/once":
			http.Redirect(w, r, "/a%20b?x=1", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/private":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		case "/elsewhere":
			http.Redirect(w, r, "http://other.example/", http.StatusFound)
		case "/port":
			http.Redirect(w, r, "http://museum.example/", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/credentials":
			http.Redirect(w, r, "http://u:p@"+r.Host+"/a%20b", http.StatusFound)
		case "/404":
			w.WriteHeader(http.StatusNotFound)
		case "/410":
			w.WriteHeader(http.StatusGone)
		case "/403":
			w.WriteHeader(http.StatusForbidden)
		case "/503":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/empty":
		case "/full":
			fmt.Fprint(w, strings.Repeat("x", limit))
		case "/declared":
			w.Header().Set("Content-Length", fmt.Sprint(limit+1))
			fmt.Fprint(w, "x") // and no more: the size must do
		case "/endless":
			for {
				if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
					return
				}
			}
		case "/cut":
			w.Header().Set("Content-Length", "10")
			fmt.Fprint(w, "x")
		}
	})
	for path, want := range map[string]string{ // what comes, or "!" and the reason, "!" for an error that may pass
		"/a b": "picture?", "/a%20b": "picture?", "/a%20b?x=%20#frag": "picture?x=%20", "/once": "picture?x=1", "/full": strings.Repeat("x", limit),
		"/round": "!", "/403": "!", "/503": "!", "/204": "!", "/cut": "!",
		"/private": "!" + feature.ReasonNotAllowed, "/elsewhere": "!" + feature.ReasonNotAllowed, "/port": "!" + feature.ReasonNotAllowed,
		"/file": "!" + feature.ReasonNotAllowed, "/credentials": "!" + feature.ReasonNotAllowed,
		"/404": "!" + feature.ReasonNotFound, "/410": "!" + feature.ReasonNotFound,
		"/empty": "!" + feature.ReasonEmpty, "/declared": "!" + feature.ReasonTooManyBytes, "/endless": "!" + feature.ReasonTooManyBytes,
	} {
		item, err := f.Fetch(context.Background(), Media{Kind: "image", URI: base + path})
		if got, bad := reason(err), strings.HasPrefix(want, "!"); bad && "!"+got != want || !bad && (err != nil || string(item.Data) != want) {
			t.Errorf("%s: %q, error %v; want %q", path, item.Data, err, want)
		}
		if r := f.Refuses(base + path); r != nil {
			t.Errorf("%s: is refused before it is asked for: %v", path, r)
		}
		if away := isAway(err); away != (path == "/503") {
			t.Errorf("%s: the host is away: %v (%v)", path, away, err)
		}
	}
	item, err := f.Fetch(context.Background(), Media{Kind: "text", URI: base + "/a%20b"})
	if err != nil || item.Text != "picture?" || item.Data != nil || item.MediaType != "image/webp" {
		t.Errorf("a text: %+v, %v", item, err)
	}
	if item, err = f.Fetch(context.Background(), Media{Kind: "image", MediaType: "image/png", URI: base + "/a%20b"}); err != nil || item.MediaType != "image/png" {
		t.Errorf("the record's media type: %+v, %v", item, err)
	}
}

// isAway tells whether an error is of the host.
func isAway(err error) bool {
	var away *feature.Unreachable
	return errors.As(err, &away)
}

func TestTimeIsBounded(t *testing.T) {
	t.Parallel()
	f, base := museum(t, 50*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/drip" {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "x")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(time.Millisecond):
				case <-r.Context().Done():
				}
			}
		}
		<-r.Context().Done()
	})
	for _, path := range []string{"/drip", "/silent"} {
		_, err := f.Fetch(context.Background(), Media{Kind: "image", URI: base + path})
		if err == nil || reason(err) == feature.ReasonNotAllowed || path == "/silent" && !strings.Contains(err.Error(), "not fetched within 50ms") {
			t.Errorf("%s: error %v", path, err)
		}
		// A host that begins to answer is there.
		if isAway(err) != (path == "/silent") {
			t.Errorf("%s: the host is away: %v (%v)", path, isAway(err), err)
		}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("the daemon stops")
	cancel(stop)
	if _, err := f.Fetch(ctx, Media{Kind: "image", URI: base + "/silent"}); !errors.Is(err, stop) || reason(err) != "" {
		t.Errorf("error %v", err)
	}
}

// A name is of a configured host, but resolves to what is not public: at once, among others, or
// only the second time.
func TestResolution(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, Config{Hosts: []string{"*.sub.example:" + port, "localhost:" + port, "127.0.0.1:" + port, "[::1]:" + port, "0.0.0.0:" + port}})
	// Tests leave the machine alone: a public address that passes is not dialed.
	outside := errors.New("would be dialed")
	f.guard = func(address string) error {
		if err := checkAddress(address); err != nil {
			return err
		}
		return outside
	}
	f.client = f.newClient((&names{of: map[string][][]string{
		"loopback.sub.example": {{"127.0.0.1"}}, "six.sub.example": {{"::1"}}, "mapped.sub.example": {{"::ffff:127.0.0.1"}},
		"metadata.sub.example": {{"169.254.169.254"}}, "public.sub.example": {{"8.8.8.8"}},
		"rebinding.sub.example": {{"8.8.8.8"}, {"127.0.0.1"}}, "both.sub.example": {{"127.0.0.1", "10.0.0.1"}},
	}}).resolver())
	for _, c := range []struct {
		host    string
		allowed bool
	}{
		{"public", true}, {"rebinding", true}, {"rebinding", false}, {"loopback", false}, {"six", false}, {"mapped", false}, {"metadata", false}, {"both", false},
	} {
		_, err := f.Fetch(context.Background(), Media{Kind: "image", URI: "http://" + c.host + ".sub.example:" + port + "/"})
		if isAway(err) != c.allowed {
			t.Errorf("%s: the host is away: %v (%v)", c.host, isAway(err), err)
		}
		if c.allowed != errors.Is(err, outside) || !c.allowed && reason(err) != feature.ReasonNotAllowed {
			t.Errorf("%s: error %v, want it dialed: %v", c.host, err, c.allowed)
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]", "0.0.0.0"} {
		if _, err := f.Fetch(context.Background(), Media{Kind: "image", URI: "http://" + host + ":" + port + "/"}); reason(err) != feature.ReasonNotAllowed {
			t.Errorf("%s: error %v", host, err)
		}
	}
	// Numbers that some resolvers read as addresses are names here, and no configured ones.
	for _, host := range []string{"2130706433", "0x7f000001", "127.1", "017700000001", "[::ffff:127.0.0.1]", "loopback.sub.example.evil.org", "evilsub.example"} {
		if _, err := f.Fetch(context.Background(), Media{Kind: "image", URI: "http://" + host + ":" + port + "/"}); reason(err) != feature.ReasonNotAllowed {
			t.Errorf("%s: error %v", host, err)
		}
	}
	if _, err := f.Fetch(context.Background(), Media{Kind: "image", URI: "http://unknown.sub.example:" + port + "/"}); err == nil || reason(err) != "" {
		t.Errorf("a name that does not resolve: error %v, want one that may pass", err)
	} else if !isAway(err) {
		t.Errorf("a name that does not resolve: error %v, want one of the host", err)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the server on loopback was asked %d times", n)
	}
}

func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	for _, a := range []string{"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "198.17.0.1", "223.255.255.255", "2620:fe::fe", "2a00::1", "::ffff:8.8.8.8"} {
		if !public(netip.MustParseAddr(a)) {
			t.Errorf("%s is refused", a)
		}
	}
	for _, a := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1", "172.31.0.1", "192.168.1.1",
		"192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1",
		"fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1",
	} {
		if public(netip.MustParseAddr(a)) {
			t.Errorf("%s passes", a)
		}
	}
	for _, bad := range []string{"", "example.org:80", "8.8.8.8"} {
		if checkAddress(bad) == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	f := open(t, Config{Hosts: []string{"Museum.example", "*.archive.example.", "ports.example:8080"}})
	for uri, want := range map[string]bool{
		"http://museum.example/": true, "https://MUSEUM.example.:443/x": true, "http://museum.example:80": true,
		"https://a.archive.example/": true, "https://a.b.archive.example/": true, "http://ports.example:8080/": true, "https://ports.example:8080/": true,
		"http://museum.example:8080/": false, "https://museum.example:80/": false, "http://ports.example/": false, "https://archive.example/": false,
		"https://xarchive.example/": false, "https://a.museum.example/": false, "https://archive.example.evil.org/": false, "http://u@museum.example/": false,
		"http://museum.example@evil.org/": false, "http:///x": false, "http:museum.example": false, "gopher://museum.example/": false,
	} {
		u, err := http.NewRequest(http.MethodGet, uri, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.checkURL(u.URL) == nil; got != want {
			t.Errorf("%s is allowed: %v, want %v", uri, got, want)
		}
	}
}
