package watchdog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// scene is a Watchdog over one kind of work, a full disk and a clock that are given.
type scene struct {
	*Watchdog
	left int64
	done float64
	disk error
	now  time.Time
	log  bytes.Buffer
}

func newScene() *scene {
	s := &scene{now: time.Unix(1000, 0)}
	log := slog.New(slog.NewTextHandler(&s.log, nil))
	s.Watchdog = New(
		[]Kind{
			{"records", 2 * time.Minute, "the log", func() (int64, float64) { return s.left, s.done }},
			{"idle", 2 * time.Minute, "the log", func() (int64, float64) { return 0, 0 }},
		},
		[]Cause{{"disk", func(context.Context) error { return s.disk }}, {"kafka", func(context.Context) error { return nil }}},
		s.now, prometheus.NewRegistry(), log)
	return s
}

func (s *scene) after(d time.Duration) {
	s.now = s.now.Add(d)
	s.look(context.Background(), s.now)
}

func (s *scene) value(kind, cause string) float64 {
	return testutil.ToFloat64(s.stalled.WithLabelValues(kind, cause))
}

// TestStandstill goes through a standstill: said once, with its cause, again with another cause, and its end.
func TestStandstill(t *testing.T) {
	t.Parallel()
	s := newScene()
	want := func(what string, disk, nothing float64, lines int, last string) {
		t.Helper()
		if d, n := s.value("records", "disk"), s.value("records", "nothing"); d != disk || n != nothing {
			t.Errorf("%s: stalled for %v because of the disk, %v because of nothing known; want %v and %v", what, d, n, disk, nothing)
		}
		all := strings.Split(strings.TrimSpace(s.log.String()), "\n")
		if got := strings.Count(s.log.String(), "\n"); got != lines || !strings.Contains(all[len(all)-1], last) {
			t.Errorf("%s: %d lines, want %d, the last with %q:\n%s", what, got, lines, last, s.log.String())
		}
		if s.value("records", "kafka") != 0 || s.value("idle", "nothing") != 0 {
			t.Errorf("%s: something else is said to stand still", what)
		}
	}
	s.after(time.Hour)
	want("nothing was left for an hour", 0, 0, 0, "")
	s.left = 7
	s.after(10 * time.Second)
	s.after(2*time.Minute - 20*time.Second)
	want("left for less than 2 minutes", 0, 0, 0, "")
	s.after(10 * time.Second)
	want("nothing moved for 2 minutes", 0, 120, 1, `level=ERROR msg="work is left and nothing of it moves" work=records left=7 for=2m0s since=1970-01-01T01:16:40Z waits_for=nothing look_at="the log"`)
	s.after(time.Minute)
	want("nor for 3", 0, 180, 1, "")
	s.left = 9
	s.after(time.Minute)
	want("more is left", 0, 240, 1, "")
	s.disk = errors.New("no room")
	s.after(time.Minute)
	want("the disk is full", 300, 0, 2, `waits_for=disk error="no room"`)
	s.disk, s.done = nil, 1
	s.after(time.Second)
	want("it goes on", 0, 0, 3, "goes on")
	s.left = 8
	s.after(119 * time.Second)
	s.left = 7
	s.after(119 * time.Second)
	want("less and less is left", 0, 0, 3, "")
	s.after(121 * time.Second)
	want("and then not", 0, 121, 4, "nothing of it moves")
	s.left = 0
	s.after(time.Second)
	want("nothing is left", 0, 0, 5, "goes on")
}

// TestStandstillsAtRandom holds a Watchdog against what a history says: stalled is what had something left and did not move
// for the stated time, and nothing else.
func TestStandstillsAtRandom(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 5))
			s := newScene()
			moved, left, done := s.now, int64(0), 0.0
			for step := range 300 {
				switch rng.IntN(12) {
				case 0:
					s.done++
				case 1, 2:
					s.left += int64(rng.IntN(3))
				case 3:
					s.left = max(0, s.left-int64(rng.IntN(2)))
				}
				s.after(time.Duration(1+rng.IntN(40)) * time.Second)
				if s.left == 0 || s.left < left || s.done != done {
					moved = s.now
				}
				left, done = s.left, s.done
				want := 0.0
				if still := s.now.Sub(moved); still >= 2*time.Minute {
					want = still.Seconds()
				}
				if got := s.value("records", "nothing"); got != want {
					t.Fatalf("step %d: stalled for %v, want %v", step, got, want)
				}
			}
		})
	}
}
