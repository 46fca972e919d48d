package follow

import (
	"testing"
	"time"
)

// TestSilence: only the time in which somebody listens, and hears nothing new, counts.
func TestSilence(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	s := silence{most: 400 * time.Millisecond}
	step := func(after time.Duration, at int64, want time.Duration) {
		t.Helper()
		now = now.Add(after)
		if s.heard(at, now); s.quiet != want {
			t.Errorf("quiet for %v, want %v", s.quiet, want)
		}
	}
	step(0, 5, 0)
	step(200*time.Millisecond, 5, 200*time.Millisecond)
	step(200*time.Millisecond, 5, 400*time.Millisecond)
	step(200*time.Millisecond, 6, 0)
	step(time.Hour, 6, 400*time.Millisecond) // this process was stopped
	s.deaf()                                 // the topic could not be read
	step(200*time.Millisecond, 6, 0)
	step(200*time.Millisecond, 6, 200*time.Millisecond)
	step(200*time.Millisecond, 8, 0)
}
