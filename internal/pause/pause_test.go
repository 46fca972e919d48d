package pause

import (
	"context"
	"testing"
	"time"
)

func TestFor(t *testing.T) {
	t.Parallel()
	if !For(t.Context(), time.Microsecond) {
		t.Error("nothing ended before the time had passed")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if For(ended, time.Hour) {
		t.Error("an hour passed within a test")
	}
}
