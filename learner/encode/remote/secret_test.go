package remote

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/sony/gobreaker/v2"
)

// TestSecretInTheAddress: neither the errors of requests nor the log shows the values of the address' query.
func TestSecretInTheAddress(t *testing.T) {
	t.Parallel()
	var logged strings.Builder
	cfg := config(TEI)
	cfg.URL = "http://127.0.0.1:1/embed?api-key=S3cret" // where nobody listens
	e, err := New(cfg, nil, slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.once(t.Context(), []byte("{}"), 1)
	var f *failure
	if !errors.As(err, &f) || f.outcome != outcomeNetwork || strings.Contains(err.Error(), "S3cret") || !strings.Contains(err.Error(), "api-key=***") {
		t.Errorf("the error of a request: %v", err)
	}
	e.last.Store(f)
	e.breakerMoved("", gobreaker.StateClosed, gobreaker.StateOpen)
	e.breakerMoved("", gobreaker.StateHalfOpen, gobreaker.StateClosed)
	if text := logged.String(); strings.Contains(text, "S3cret") || strings.Count(text, "api-key=***") < 3 {
		t.Errorf("the log: %s", text)
	}
}
