package watchdog

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// After is how long nothing may move before that is said: longer than a rebalance of the group may hold records up (a minute),
// than a request to Kafka takes to fail and be sent again, or than any batch, and short beside what it takes a person to come.
const After = 2 * time.Minute

// every is the time between two looks.
const every = 10 * time.Second

// nothingKnown is the value of the label waits_for when no Cause holds work up.
const nothingKnown = "nothing"

// Kind is one kind of work.
type Kind struct {
	// Name is the value of the label work.
	Name string
	// After is how long nothing of it may move.
	After time.Duration
	// Look says what to look at when nothing moves.
	Look string
	// State tells how much is left, 0 if nothing, and a number that is another once something was done.
	State func() (left int64, done float64)
}

// Cause is something that holds all work up, and that only somebody outside can end.
type Cause struct {
	// Name is the value of the label waits_for.
	Name string
	// Err is why work is held up; nil: this does not hold it up now.
	Err func(context.Context) error
}

// Watchdog watches kinds of work.
type Watchdog struct {
	kinds   []Kind
	causes  []Cause
	seen    []seen // of each kind
	log     *slog.Logger
	stalled *prometheus.GaugeVec
}

// seen is a kind of work as it was at the last look.
type seen struct {
	left int64
	done float64
	// since is when it last moved, or had nothing left.
	since time.Time
	// cause is the Name of what it waits for, as it was logged; empty: it moves.
	cause string
}

// New returns a Watchdog, whose metric it registers. All kinds count as having moved at now.
func New(kinds []Kind, causes []Cause, now time.Time, reg prometheus.Registerer, log *slog.Logger) *Watchdog {
	w := &Watchdog{kinds: kinds, causes: causes, seen: make([]seen, len(kinds)), log: log,
		stalled: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "kilim_stalled_seconds",
			Help: "Since when work is left and nothing of it has moved, by kind of work and what it waits for: disk, kafka, or nothing that is known. 0 while it moves, and until it has stood still for 2 minutes (standby: 30).",
		}, []string{"work", "waits_for"})}
	reg.MustRegister(w.stalled)
	for i := range kinds {
		w.seen[i].since = now
		w.export(kinds[i].Name, "", 0)
	}
	return w
}

// Run looks every few seconds until ctx ends.
func (w *Watchdog) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			w.look(ctx, now)
		}
	}
}

// look looks at all kinds. Readings of the clock that time.Now gives are compared without regard to changes of the wall clock.
func (w *Watchdog) look(ctx context.Context, now time.Time) {
	known := false // whether cause and why have been asked for in this look
	var cause string
	var why error
	for i := range w.kinds {
		k, s := &w.kinds[i], &w.seen[i]
		left, done := k.State()
		if left == 0 || done != s.done || left < s.left {
			s.since = now
		}
		s.left, s.done = left, done
		still := now.Sub(s.since)
		if still < k.After {
			if s.cause != "" {
				w.log.Info("work that stood still goes on", "work", k.Name, "left", left)
				s.cause = ""
			}
			w.export(k.Name, "", 0)
			continue
		}
		if !known {
			cause, why = w.cause(ctx)
			known = true
		}
		if s.cause != cause {
			w.say(k, s, still, cause, why)
			s.cause = cause
		}
		w.export(k.Name, cause, still)
	}
}

func (w *Watchdog) say(k *Kind, s *seen, still time.Duration, cause string, why error) {
	args := []any{"work", k.Name, "left", s.left, "for", still.Round(time.Second), "since", s.since.UTC().Format(time.RFC3339), "waits_for", cause}
	if why != nil {
		w.log.Error("work is left and waits for what only somebody else can give", append(args, "error", why)...)
		return
	}
	w.log.Error("work is left and nothing of it moves", append(args, "look_at", k.Look)...)
}

// cause is the first of the causes that holds work up now.
func (w *Watchdog) cause(ctx context.Context) (name string, why error) {
	ctx, cancel := context.WithTimeout(ctx, every/2)
	defer cancel()
	for _, c := range w.causes {
		if err := c.Err(ctx); err != nil {
			return c.Name, err
		}
	}
	return nothingKnown, nil
}

// export says how long a kind has stood still, and for which cause; for no other.
func (w *Watchdog) export(kind, cause string, still time.Duration) {
	set := func(name string) {
		seconds := 0.0
		if name == cause {
			seconds = still.Seconds()
		}
		w.stalled.WithLabelValues(kind, name).Set(seconds)
	}
	for _, c := range w.causes {
		set(c.Name)
	}
	set(nothingKnown)
}
