package turns

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestLinger waits for what is due: later, already, and never.
func TestLinger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l Linger
		if at := l.At(); at <= 0 {
			t.Errorf("it begins at %v", at)
		}
		if l.Over() != nil {
			t.Error("nothing is due, and somebody waits for it")
		}
		time.Sleep(time.Second)
		for left, want := range map[time.Duration]time.Duration{time.Minute: time.Minute, 0: leastWait, -time.Hour: leastWait} {
			l.Next(left, true)
			start := time.Now()
			<-l.Over()
			if took := time.Since(start); took != want {
				t.Errorf("due after %v: over after %v, want %v", left, took, want)
			}
		}
		if l.Next(0, false); l.Over() != nil {
			t.Error("nothing is due any more, and somebody waits for it")
		}
	})
}

// TestBusy goes from before the first batch to a while after it.
func TestBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		if turns.Busy(time.Hour) {
			t.Error("busy before anything has come")
		}
		turns.Come()
		if !turns.Busy(0) {
			t.Error("a batch waits, and nobody is busy")
		}
		turns.Begin()
		turns.Applied()
		time.Sleep(time.Second)
		if turns.Busy(time.Second) || !turns.Busy(time.Second+1) {
			t.Error("a second after a batch: busy for a second, or not for longer")
		}
	})
}
