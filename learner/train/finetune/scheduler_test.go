package finetune

import (
	"fmt"
	"log/slog"
	"math"
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/learner/train/registry"
)

// TestScheduler: training is due by changes, by time, by drift, or when one was interrupted; what is known of the last
// outlives a start; and what was found good before a crash is promoted at the start.
func TestScheduler(t *testing.T) {
	t.Parallel()
	a := archiveOf(t, 120)
	mgr := &manager{a: a}
	r := openModels(t)
	scheduler := func(triggers Triggers) *Scheduler {
		tu := New(settings(nil), triggers, mgr, r, NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
		tu.restore()
		tu.poll()
		return tu
	}
	now := time.Now()
	for name, c := range map[string]struct {
		triggers Triggers
		due      bool
	}{
		"never":         {Triggers{}, false},
		"few changes":   {Triggers{Changes: 1e6}, false},
		"changes":       {Triggers{Changes: 0.5}, true},
		"too few":       {Triggers{Changes: 0.5, MinArtifacts: 1000}, false},
		"not yet":       {Triggers{Interval: 2 * time.Hour}, false},
		"after an hour": {Triggers{Interval: time.Minute}, true},
		"no drift":      {Triggers{Drift: 0.2}, false},
	} {
		if due := scheduler(c.triggers).due(now.Add(time.Hour)); due != c.due {
			t.Errorf("%s: due is %v", name, due)
		}
	}
	back := scheduler(Triggers{Interval: time.Hour})
	if back.due(now.Add(-59*time.Minute)) || !back.due(now.AddDate(-1, 0, 0)) {
		t.Error("a clock that was set back: want not due within the interval, due beyond it")
	}
	if err := os.WriteFile(r.Path(checkpointName), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if !scheduler(Triggers{Changes: 1e6}).due(now) {
		t.Error("an interrupted training is not due")
	}
	tu := scheduler(Triggers{Changes: 0.5, Drift: 0.5})
	tu.train(t.Context())
	last := r.List()[len(r.List())-1]
	if last.Epoch != 2 || (last.State == registry.Evaluated) != (len(mgr.promoted) == 1) {
		t.Errorf("trained: %+v, promoted %v", last, mgr.promoted)
	}
	if s := tu.Status(); s.Phase != Idle || s.Changed != 0 || s.Last == nil || s.Last.Epoch != 2 || s.Last.Result == failed {
		t.Errorf("the status is %+v, %+v", s, s.Last)
	}
	again := scheduler(Triggers{Changes: 0.5, Drift: 0.5})
	for name, tu := range map[string]*Scheduler{"it": tu, "one after a start": again} {
		if tu.due(now.Add(time.Hour)) {
			t.Errorf("nothing has changed since, and %s is due again", name)
		}
	}
	again.state.Mix = map[string]map[string]float64{"culture": {"another": 1}}
	again.driftMeasuredAt = -1
	again.poll()
	if !again.due(now) {
		t.Error("all cultures are others, and it is not due")
	}
	// A crash came between the comparison and the promotion.
	if err := os.WriteFile(r.Path("0003.safetensors"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := r.Add(registry.Model{Checkpoint: "0003.safetensors", Parent: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.SetState(m.Epoch, registry.Evaluated, nil, ""); err != nil {
		t.Fatal(err)
	}
	mgr.promoted = nil
	if err := scheduler(Triggers{}).promotePending(); err != nil || len(mgr.promoted) != 1 || mgr.promoted[0] < 2 {
		t.Errorf("taken up: %v, %v", mgr.promoted, err)
	}
}

// TestAdaptedIsTrained: a model that was adapted to other encoders is trained without a change of the archive, once.
func TestAdaptedIsTrained(t *testing.T) {
	t.Parallel()
	first := registry.Model{Seed: 1, Adapted: true, Created: time.Unix(0, 0)}
	r, err := registry.Open(t.TempDir(), first, nil)
	if err != nil {
		t.Fatal(err)
	}
	scheduler := func(least float64) *Scheduler {
		s := New(settings(nil), Triggers{Changes: least}, &manager{a: archiveOf(t, 120)}, r, NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
		s.restore()
		s.poll()
		return s
	}
	if scheduler(0).due(time.Now()) {
		t.Error("it is due, though nothing is to be trained at all")
	}
	s := scheduler(1e6)
	if !s.due(time.Now()) {
		t.Error("an adapted model is not due to be trained")
	}
	if s.tried = 1; s.due(time.Now()) {
		t.Error("it is due again after a training that failed")
	}
	if _, err := r.Add(registry.Model{Parent: 1, Adapted: true}); err != nil || !scheduler(1e6).due(time.Now()) {
		t.Errorf("it is not due any more since it was adapted again (%v)", err)
	}
	if _, err := r.Add(registry.Model{Parent: 1}); err != nil || scheduler(1e6).due(time.Now()) {
		t.Errorf("it is due again after a training (%v)", err)
	}
}

// TestDrift: drift counts whole shares, and rare terms together.
func TestDrift(t *testing.T) {
	t.Parallel()
	mix := func(shares map[string]float64) map[string]map[string]float64 {
		return map[string]map[string]float64{"culture": shares}
	}
	half := mix(map[string]float64{"a": 0.5, "b": 0.5})
	rares, others := map[string]float64{"a": 0.5}, map[string]float64{"a": 0.5}
	for i := range 100 {
		rares[fmt.Sprint("r", i)], others[fmt.Sprint("o", i)] = 0.005, 0.005
	}
	for name, c := range map[string]struct {
		then, now map[string]map[string]float64
		want      float64
	}{
		"same":    {half, half, 0},
		"fifth":   {half, mix(map[string]float64{"a": 0.4, "b": 0.4, "c": 0.2}), 0.2},
		"all":     {half, mix(map[string]float64{"c": 1}), 1},
		"rare":    {mix(rares), mix(others), 0},
		"no more": {mix(rares), mix(map[string]float64{"a": 1}), 0.5},
		"nothing": {half, mix(nil), 0},
	} {
		if got := drift(c.then, c.now); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
