package fetch

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestSignedAddress: an address may be signed; what is told of a failure, which becomes a row of the state and a line of the log, does
// not hold its query.
func TestSignedAddress(t *testing.T) {
	t.Parallel()
	f, err := New(Config{Hosts: []string{"127.0.0.1:1"}, MaxBytes: 1 << 10, Timeout: time.Second, UserAgent: "kilim"})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = f.request(t.Context(), &url.URL{Scheme: "http", Host: "127.0.0.1:1", Path: "/x.png", RawQuery: "signature=S3cret"})
	if err == nil || strings.Contains(err.Error(), "S3cret") || !strings.Contains(err.Error(), "signature=***") {
		t.Errorf("error %v", err)
	}
}
