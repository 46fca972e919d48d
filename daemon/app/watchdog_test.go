package app

import (
	"fmt"
	"testing"

	"github.com/segmentio/kafka-go"
)

// TestWatchdogFollowsTheDaemon reads what the watchdog reads before and after the daemon has worked, and asks for a broker that
// is there, and then not.
func TestWatchdogFollowsTheDaemon(t *testing.T) {
	t.Parallel()
	d := start(t, testConfig(t))
	var feed []kafka.Message
	for i := range 10 {
		feed = append(feed, artifact(fmt.Sprintf("a%d", i), `"title":"kilim"`))
	}
	d.settle(0)
	_, revision := d.app.backgroundLeft()
	d.feed(feed...)
	d.settle(10)
	for what, state := range map[string]func() (int64, float64){
		"records": d.app.recordsLeft, "outbox": d.app.outboxLeft, "background": d.app.backgroundLeft, "standby": d.app.standbyLeft,
	} {
		if left, _ := state(); left != 0 {
			t.Errorf("%s: %d left after all was done", what, left)
		}
	}
	if _, done := d.app.recordsLeft(); done != 10 {
		t.Errorf("%v records done, want 10", done)
	}
	if _, done := d.app.backgroundLeft(); done == revision {
		t.Error("the background's number did not move")
	}
	if err := d.app.conn.Reachable(t.Context()); err != nil {
		t.Error(err)
	}
	d.end()
	if err := d.app.conn.Reachable(t.Context()); err == nil {
		t.Error("a broker that is stopped can be reached")
	}
	if left, _ := d.app.recordsLeft(); left == 0 {
		t.Error("no partitions are assigned, and no records are said to be left")
	}
}
