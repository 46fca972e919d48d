package finetune

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"kilim/learner/train"
	"kilim/learner/train/registry"
)

// Archive is a Source that grows.
type Archive interface {
	Source
	// Epoch is that of the model.
	Epoch() uint32
	// Artifacts is how many there are.
	Artifacts() int
	// Changed is how much it has changed so far, in archives: an insert, replacement or deletion among N artifacts counts 1/N.
	// Only differences between two looks count.
	Changed() float64
	// Mix is what a sample of the archive is of: the share of each term, by entity type.
	Mix(limit int) (map[string]map[string]float64, error)
}

// Manager knows what serves, and lets another model take over.
type Manager interface {
	// Archive is what serves at the moment: another one, to ==, after another model took over.
	Archive() Archive
	// Serving is the epoch of the model that serves, and whether another is on its way to take its place.
	Serving() (epoch uint32, replaced bool)
	// Promote lets the model of an epoch take over as soon as that can be.
	Promote(epoch uint32) error
}

// Triggers say when to train. All zero: never.
type Triggers struct {
	// Changes is how much the archive must have changed since the last training, in archives: an insert, replacement or
	// deletion among N artifacts counts 1/N.
	Changes float64
	// Interval is the time between two trainings, if anything has changed.
	Interval time.Duration
	// Drift is how far the mix of cultures and types must have shifted, in 0..1.
	Drift float64
	// Least is the number of artifacts below which nothing is trained.
	MinArtifacts int
}

// Status is what training does.
type Status struct {
	Phase string // Idle, Snapshot, Training or Judging
	// Step of Steps at most, in a Stage, while training.
	Step, Steps int
	Stage       string
	// Changed is how much the archive has changed since the last training began, in archives, and Drift how far its mix of
	// cultures and types has shifted, in 0..1.
	Changed, Drift float64
	Last           *Outcome // nil when there was none
}

// Tuner trains beside a daemon's work whenever that is due.
type Scheduler struct {
	cfg      Config
	triggers Triggers
	manager  Manager
	models   *registry.Registry
	metrics  *Metrics
	log      *slog.Logger

	state triggerState
	// archive had changed by seen when it was looked at last, and drift was measured when it had changed by measured.
	archive        Archive
	lastChanged, driftMeasuredAt float64
	drift          float64
	// kept is the ledger's Changed that is on the disk.
	savedChanged float64

	lock   sync.Mutex
	status Status
}

// New returns a tuner. Its Config's Step, Phase and Log are the tuner's own.
func New(cfg Config, triggers Triggers, manager Manager, models *registry.Registry, metrics *Metrics, log *slog.Logger) *Scheduler {
	t := &Scheduler{triggers: triggers, manager: manager, models: models, metrics: metrics, log: log}
	cfg.Step, cfg.Phase, cfg.Log = t.step, t.phase, log
	t.cfg, t.status.Phase = cfg, Idle
	return t
}

const (
	// looks is the time between two looks at the triggers.
	pollInterval = 5 * time.Second
	// little is a change of the archive after which the drift is not measured again, and the ledger not written.
	significantChange = 0.01
)

// Run trains whenever it is due, until ctx ends. A training that fails is logged and tried again when it
// is due again: what serves is not concerned.
func (t *Scheduler) Run(ctx context.Context) error {
	if err := t.promotePending(); err != nil {
		t.log.Warn("a model that was found good can't be promoted now", "err", err)
	}
	t.restore()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case now := <-tick.C:
			t.poll()
			if t.due(now) {
				t.train(ctx)
			}
		}
	}
	t.save()
	return nil
}

// Status tells what training does. It may be called at any time.
func (t *Scheduler) Status() Status {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.status
}

// begin takes up the ledger. Without one, all that is there is new, unless a model was trained.
func (t *Scheduler) restore() {
	a := t.manager.Archive()
	l, ok, err := readTriggerState(t.models.Path(stateName))
	if err != nil {
		t.log.Warn("what is known of the last training can't be read; it counts as just done", "err", err)
	}
	if !ok {
		l = triggerState{At: time.Now()}
		if all := t.models.List(); err == nil && all[len(all)-1].Checkpoint == "" {
			l.Changed = a.Changed()
		}
	}
	t.state, t.savedChanged = l, l.Changed
	t.archive, t.lastChanged, t.driftMeasuredAt = a, a.Changed(), -1
	t.publishStatus()
}

// look sums up what has changed since the last look. Each generation has its own count of that.
func (t *Scheduler) poll() {
	a := t.manager.Archive()
	now := a.Changed()
	if a == t.archive {
		t.state.Changed += max(now-t.lastChanged, 0)
	}
	if a != t.archive || t.driftMeasuredAt < 0 || now-t.driftMeasuredAt > significantChange {
		t.measureDrift(a)
		t.driftMeasuredAt = now
	}
	t.archive, t.lastChanged = a, now
	t.publishStatus()
	if t.state.Changed-t.savedChanged > significantChange {
		t.save()
	}
}

// measure measures the drift. The first mix there is is the one of the last training, or of the start.
func (t *Scheduler) measureDrift(a Archive) {
	if t.triggers.Drift == 0 || a.Artifacts() < t.minArtifacts() {
		return
	}
	mix, err := a.Mix(driftSample)
	if err != nil {
		t.log.Warn("the drift of the archive can't be measured now", "err", err)
		return
	}
	if t.state.Mix == nil {
		t.state.Mix = mix
	}
	t.drift = drift(t.state.Mix, mix)
}

func (t *Scheduler) publishStatus() {
	t.metrics.setChanges(t.state.Changed, t.drift)
	t.lock.Lock()
	defer t.lock.Unlock()
	t.status.Changed, t.status.Drift = t.state.Changed, t.drift
	if l := t.state.Last; l != nil {
		t.status.Last = l
	}
}

// save keeps the ledger. What it can't keep costs a training too early or too late.
func (t *Scheduler) save() {
	if err := t.state.write(t.models.Path(stateName)); err != nil {
		t.log.Warn("what is known of the last training can't be written", "err", err)
		return
	}
	t.savedChanged = t.state.Changed
}

// takeUp promotes a model that was found good when a crash came between.
func (t *Scheduler) promotePending() error {
	m, ok := PendingPromotion(t.models, t.manager.Archive().Epoch())
	if !ok {
		return nil
	}
	return t.manager.Promote(m.Epoch)
}

// Waiting is the newest model that was found better than the one of the given epoch, and has not taken its place.
func PendingPromotion(models *registry.Registry, serving uint32) (registry.Model, bool) {
	for _, m := range slices.Backward(models.List()) {
		if m.State == registry.Evaluated && m.Parent == serving {
			return m, true
		}
	}
	return registry.Model{}, false
}

func (t *Scheduler) minArtifacts() int { return max(t.triggers.MinArtifacts, MinArtifacts) }

func (t *Scheduler) due(now time.Time) bool {
	if t.triggers.Changes == 0 && t.triggers.Interval == 0 && t.triggers.Drift == 0 || t.manager.Archive().Artifacts() < t.minArtifacts() {
		return false
	}
	if _, replaced := t.manager.Serving(); replaced {
		return false // what it would begin with is about to be replaced
	}
	if _, err := os.Stat(t.models.Path(checkpointName)); !errors.Is(err, fs.ErrNotExist) {
		return true // one that was interrupted
	}
	l := &t.state
	return t.triggers.Changes > 0 && l.Changed >= t.triggers.Changes ||
		t.triggers.Interval > 0 && now.Sub(l.At) >= t.triggers.Interval && l.Changed > 0 ||
		t.triggers.Drift > 0 && t.drift >= t.triggers.Drift
}

func (t *Scheduler) train(ctx context.Context) {
	a := t.manager.Archive()
	start := time.Now()
	t.log.Info("training begins", "epoch", a.Epoch(), "artifacts", a.Artifacts(), "changed", t.state.Changed, "drift", t.drift)
	next := triggerState{}
	if t.triggers.Drift > 0 {
		mix, err := a.Mix(driftSample)
		if err != nil {
			t.log.Warn("the mix of the archive can't be measured now", "err", err)
		}
		next.Mix = mix
	}
	t.archive, t.lastChanged, t.driftMeasuredAt = a, a.Changed(), -1
	last := t.attempt(ctx, a, start)
	t.metrics.setIdle()
	t.phase(Idle)
	if ctx.Err() != nil && last.Result != promoted {
		return // it goes on after the next start
	}
	next.At, next.Last = last.At, last
	t.state, t.drift = next, 0
	t.metrics.countEnded(last.Result)
	t.poll()
	t.save()
}

// attempt is one training, to the end.
func (t *Scheduler) attempt(ctx context.Context, a Archive, start time.Time) *Outcome {
	m, table, err := Run(ctx, t.cfg, a, a.Epoch(), t.models)
	took := time.Since(start).Round(time.Second)
	last := &Outcome{At: time.Now(), Result: failed, Epoch: m.Epoch}
	if table != nil {
		t.metrics.setCompared(table)
	}
	switch {
	case err != nil:
		last.Reason = err.Error()
		if ctx.Err() == nil {
			t.log.Error("training failed; the model that serves goes on", "err", err)
		}
		return last
	case !table.Promote:
		last.Result, last.Reason = rejected, table.Reason
		t.log.Info("the trained model is not better; the one that serves goes on", "epoch", m.Epoch, "reason", table.Reason, "took", took)
		return last
	}
	last.Result, last.Reason = promoted, table.Reason
	t.log.Info("the trained model is better and takes over", "epoch", m.Epoch, "reason", table.Reason, "took", took)
	if serves, replaced := t.manager.Serving(); serves != m.Parent || replaced {
		last.Result, last.Reason = rejected, "another model serves, or is to serve, than the one it was held against"
		t.log.Warn("the trained model does not take over: "+last.Reason, "epoch", m.Epoch, "held_against", m.Parent, "serves", serves)
		return last
	}
	if err := t.manager.Promote(m.Epoch); err != nil {
		last.Result, last.Reason = failed, err.Error()
		t.log.Error("the trained model can't take over now; it is tried again at the next start", "epoch", m.Epoch, "err", err)
	}
	return last
}

// step and phase are told by Run.
func (t *Scheduler) step(p train.Progress) {
	t.metrics.setStep(p)
	t.lock.Lock()
	defer t.lock.Unlock()
	t.status.Step, t.status.Steps, t.status.Stage = p.Step, p.Steps, p.Stage
}

func (t *Scheduler) phase(phase string) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.status.Phase, t.status.Step, t.status.Steps, t.status.Stage = phase, 0, 0, ""
}
