package fetch

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Config says what may be fetched. Without roots no files are, without hosts nothing is
// taken from the network.
type Config struct {
	// Roots are the folders whose files may be read.
	Roots []string
	// Hosts may be asked over http and https: "example.org" on the scheme's own port,
	// "example.org:8080" on this one, "*.example.org" for all names below it (not itself).
	Hosts    []string
	MaxBytes int64         // of one item
	Timeout  time.Duration // of one item over the network, from the resolution to the last byte
	// UserAgent is the name given to servers.
	UserAgent string
}

// Fault is a setting that can't be used.
type Fault struct {
	Setting string // such as "root" or "hosts"
	Detail  string // with the value and what is allowed
}

func (f *Fault) Error() string { return f.Setting + ": " + f.Detail }

// Validate returns all faults in one error (each one a *Fault), or nil. It looks whether
// the roots are there.
func (c Config) Validate() error {
	var faults []error
	add := func(setting, format string, args ...any) {
		faults = append(faults, &Fault{setting, fmt.Sprintf(format, args...)})
	}
	for _, root := range c.Roots {
		if err := checkRoot(root); err != nil {
			add("root", "%q: %v", root, err)
		}
	}
	for _, host := range c.Hosts {
		if _, err := parseHost(host); err != nil {
			add("hosts", "%q: %v", host, err)
		}
	}
	if c.MaxBytes < 1 {
		add("max-bytes", "%d: want 1 or more", c.MaxBytes)
	}
	if c.Timeout <= 0 {
		add("timeout", "%v: want more than 0", c.Timeout)
	}
	return errors.Join(faults...)
}

func checkRoot(root string) error {
	if root == "" {
		return errors.New("want the path of a folder")
	}
	info, err := os.Stat(root)
	switch {
	case err != nil:
		return errors.Unwrap(err)
	case !info.IsDir():
		return errors.New("is not a folder")
	}
	// The whole disk is hardly what is meant, and holds the state and its secrets.
	if abs, err := filepath.Abs(root); err != nil || filepath.Dir(abs) == abs {
		return errors.New("is the whole file system, want a folder in it")
	}
	return nil
}

// host is an entry of Config.Hosts.
type host struct {
	name  string // in lower case, without a final dot
	below bool   // the names below, not the name itself
	port  string // "" for the scheme's own
}

func parseHost(text string) (host, error) {
	const want = "want a name such as example.org, example.org:8080 or *.example.org"
	if strings.Contains(text, "/") {
		return host{}, errors.New(want)
	}
	h := host{name: text}
	if name, port, err := net.SplitHostPort(text); err == nil {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return host{}, fmt.Errorf("port %q is not a number from 1 to 65535", port)
		}
		h.name, h.port = name, port
	}
	h.name = canonical(h.name)
	h.name, h.below = strings.CutPrefix(h.name, "*.")
	if _, err := netip.ParseAddr(strings.Trim(h.name, "[]")); err == nil {
		if h.below {
			return host{}, errors.New(want)
		}
		h.name = strings.Trim(h.name, "[]")
		return h, nil
	}
	if h.name == "" || strings.Trim(h.name, "abcdefghijklmnopqrstuvwxyz0123456789-._") != "" {
		return host{}, errors.New(want)
	}
	if h.below && !strings.Contains(h.name, ".") {
		return host{}, fmt.Errorf("a whole top-level domain: %s", want)
	}
	return h, nil
}

func canonical(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

// allows tells whether a name and port may be asked. The port is never empty.
func (h host) allows(name, port, schemePort string) bool {
	want := h.port
	if want == "" {
		want = schemePort
	}
	if port != want {
		return false
	}
	if h.below {
		return strings.HasSuffix(name, "."+h.name)
	}
	return name == h.name
}
