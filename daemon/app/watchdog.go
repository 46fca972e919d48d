package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/standby"
	"kilim/daemon/watchdog"
)

// buildStalls is how long the building of a standby may seem to stand still: pictures that a server encodes one by one may be
// all that is left of it, and those have metrics of their own.
const buildStalls = 30 * time.Minute

// startWatchdog watches what the other parts are to do.
func (a *App) startWatchdog(_ context.Context, reg *prometheus.Registry) error {
	kinds := []watchdog.Kind{
		{Name: "records", After: watchdog.After, State: a.recordsLeft,
			Look: "the lines of the log before this one, kilim status (are partitions assigned?), and who else is in the consumer group"},
		{Name: "outbox", After: watchdog.After, State: a.outboxLeft,
			Look: "kilim_publish_failures_total, and whether the output topics exist and accept writes"},
		{Name: "background", After: watchdog.After, State: a.backgroundLeft,
			Look: "a profile of the process (its stacks by SIGQUIT, which ends it), and whether the disk is slow"},
		{Name: "standby", After: buildStalls, State: a.standbyLeft,
			Look: "kilim model, and whether media wait that can't be had (kilim_media_waiting)"},
	}
	causes := []watchdog.Cause{
		{Name: "disk", Err: func(context.Context) error { return a.manager.Engine().Room() }},
		{Name: "kafka", Err: a.conn.Reachable},
	}
	w := watchdog.New(kinds, causes, time.Now(), reg, a.log.With("part", "watchdog"))
	a.parts = append(a.parts, part{"watchdog", w.Run})
	return nil
}

// recordsLeft is 1 as long as no partitions are assigned: nobody knows how many records wait in them.
func (a *App) recordsLeft() (left int64, done float64) {
	if _, since := a.consumer.Assigned(); since.IsZero() {
		left = 1
	}
	for _, n := range a.consumer.Lag() {
		left += n
	}
	return left, float64(a.manager.Engine().Status().Consumed)
}

// outboxLeft takes the age of the oldest message for what moves: it is another's once that one is acknowledged.
func (a *App) outboxLeft() (left int64, done float64) {
	s := a.manager.Engine().Status()
	return int64(s.Outbox), float64(s.OutboxSince.UnixNano())
}

// backgroundLeft takes any unit for a move: under a load that leaves the background no turn, batches do a share of its work.
func (a *App) backgroundLeft() (left int64, done float64) {
	s := a.manager.Engine().Status()
	return int64(s.RefreshQueue), float64(s.Revision)
}

func (a *App) standbyLeft() (left int64, done float64) {
	next := a.manager.Status().Next
	if next == nil || next.Phase != standby.PhaseFilling && next.Phase != standby.PhaseCompleting {
		return 0, 0
	}
	return 1, next.Ratio
}
