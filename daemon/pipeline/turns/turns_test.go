package turns

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestQuiet goes from before the first batch to a while after it, and through one that takes longer than that.
func TestQuiet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		if !turns.Quiet() {
			t.Error("no batch has come, and it is not quiet")
		}
		turns.Applied()
		time.Sleep(quiet)
		if turns.Quiet() {
			t.Errorf("quiet within %v of a batch", quiet)
		}
		time.Sleep(time.Millisecond)
		if !turns.Quiet() {
			t.Errorf("not quiet %v after a batch", quiet)
		}
		turns.Come()
		turns.Begin()
		time.Sleep(time.Minute)
		if turns.Quiet() {
			t.Error("quiet while a batch is at work")
		}
		turns.Applied()
		if turns.Quiet() {
			t.Error("quiet when a long batch has ended")
		}
	})
}

// TestQuietIsNotOfTheWallClock wants the monotonic clock's reading kept, by which time.Since goes whatever becomes of the wall clock.
func TestQuietIsNotOfTheWallClock(t *testing.T) {
	t.Parallel()
	var turns Turns
	turns.Applied()
	if at := turns.lastBatch.Load().String(); !strings.Contains(at, " m=") {
		t.Errorf("the last batch was at %s, without a reading of the monotonic clock", at)
	}
}
