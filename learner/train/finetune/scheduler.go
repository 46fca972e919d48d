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
	// Epoch is that of the model that serves the archive.
	Epoch() uint32
	// Artifacts is how many artifacts there are.
	Artifacts() int
	// Changed is how much the archive has changed so far, in archives: an insert, replacement or deletion among N
	// artifacts adds 1/N.
	Changed() float64
	// Mix is that of package dataset, of a sample of at most limit artifacts.
	Mix(limit int) (map[string]map[string]float64, error)
}

// Manager knows which archive and model serve, and lets another model take over.
type Manager interface {
	// Archive is the one that serves now. After another model took over it is another one, by ==.
	Archive() Archive
	// Serving returns the epoch of the model that serves, and whether another model is about to replace it.
	Serving() (epoch uint32, replaced bool)
	// Promote lets the model of an epoch take over as soon as possible.
	Promote(epoch uint32) error
}

// Triggers say when to train. All zero: never.
type Triggers struct {
	// Changes is how much the archive must have changed since the last training, as Archive.Changed counts.
	Changes float64
	// Interval is the time between two trainings, if anything has changed.
	Interval time.Duration
	// Drift is how far the mix of cultures and types must have shifted, in 0..1.
	Drift float64
	// MinArtifacts is the number of artifacts below which nothing is trained.
	MinArtifacts int
}

// Status is the state of training for people.
type Status struct {
	Phase string // Idle, Snapshot, Training or Judging
	// Step of at most Steps, in a Stage, while training.
	Step, Steps int
	Stage       string
	// Changed is how much the archive has changed since the last training began, in archives, and Drift how far its mix
	// has shifted, in 0..1.
	Changed, Drift float64
	Last           *Outcome // nil before the first training
}

// Scheduler runs a training beside a daemon's work whenever one is due.
type Scheduler struct {
	cfg      Config
	triggers Triggers
	manager  Manager
	models   *registry.Registry
	metrics  *Metrics
	log      *slog.Logger

	state triggerState
	// archive is the one that serves at the last poll, and lastChanged its Changed then. driftMeasuredAt is its Changed
	// when drift was measured, below 0 before that.
	archive                      Archive
	lastChanged, driftMeasuredAt float64
	drift                        float64
	// tried is the epoch from whose model the last training of this process began.
	tried uint32
	// savedChanged is the Changed of the state that is on the disk.
	savedChanged float64

	lock   sync.Mutex
	status Status
}

// New returns a Scheduler. It sets Step, Phase and Log of cfg itself.
func New(cfg Config, triggers Triggers, manager Manager, models *registry.Registry, metrics *Metrics, log *slog.Logger) *Scheduler {
	s := &Scheduler{triggers: triggers, manager: manager, models: models, metrics: metrics, log: log}
	cfg.Step, cfg.Phase, cfg.Log = s.step, s.phase, log
	s.cfg, s.status.Phase = cfg, Idle
	return s
}

const (
	// pollInterval is the time between two polls of the Triggers.
	pollInterval = 5 * time.Second
	// significantChange is a change of the archive after which the drift is measured again and the state written.
	significantChange = 0.01
)

// Run trains whenever a training is due, until ctx ends. A training that fails is logged, and tried again when one is
// due again: what serves is not affected.
func (s *Scheduler) Run(ctx context.Context) error {
	if err := s.promotePending(); err != nil {
		s.log.Warn("a model that was found good can't be promoted now", "err", err)
	}
	s.restore()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case now := <-tick.C:
			s.poll()
			if s.due(now) {
				s.train(ctx)
			}
		}
	}
	s.save()
	return nil
}

// Status returns the present Status. It may be called at any time.
func (s *Scheduler) Status() Status {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.status
}

// restore reads the state of the last process. Without one, the whole archive counts as changed, unless a model was
// trained already.
func (s *Scheduler) restore() {
	a := s.manager.Archive()
	l, ok, err := readTriggerState(s.models.Path(stateName))
	if err != nil {
		s.log.Warn("what is known of the last training can't be read; it counts as just done", "err", err)
	}
	if !ok {
		l = triggerState{At: time.Now()}
		if all := s.models.List(); err == nil && all[len(all)-1].Checkpoint == "" {
			l.Changed = a.Changed()
		}
	}
	s.state, s.savedChanged = l, l.Changed
	s.archive, s.lastChanged, s.driftMeasuredAt = a, a.Changed(), -1
	s.publishStatus()
}

// poll adds up what has changed since the last poll. Each Archive counts its Changed from its own start, so what
// changes while one replaces another is not counted.
func (s *Scheduler) poll() {
	a := s.manager.Archive()
	now := a.Changed()
	if a == s.archive {
		s.state.Changed += max(now-s.lastChanged, 0)
	}
	if a != s.archive || s.driftMeasuredAt < 0 || now-s.driftMeasuredAt > significantChange {
		s.measureDrift(a)
		s.driftMeasuredAt = now
	}
	s.archive, s.lastChanged = a, now
	s.publishStatus()
	if s.state.Changed-s.savedChanged > significantChange {
		s.save()
	}
}

// measureDrift measures the drift. The first mix that is measured counts as that of the last training.
func (s *Scheduler) measureDrift(a Archive) {
	if s.triggers.Drift == 0 || a.Artifacts() < s.minArtifacts() {
		return
	}
	mix, err := a.Mix(driftSample)
	if err != nil {
		s.log.Warn("the drift of the archive can't be measured now", "err", err)
		return
	}
	if s.state.Mix == nil {
		s.state.Mix = mix
	}
	s.drift = drift(s.state.Mix, mix)
}

func (s *Scheduler) publishStatus() {
	s.metrics.setChanges(s.state.Changed, s.drift)
	s.lock.Lock()
	defer s.lock.Unlock()
	s.status.Changed, s.status.Drift = s.state.Changed, s.drift
	if l := s.state.Last; l != nil {
		s.status.Last = l
	}
}

// save writes the state. If it can't, the next process trains too early or too late, so the error is only logged.
func (s *Scheduler) save() {
	if err := s.state.write(s.models.Path(stateName)); err != nil {
		s.log.Warn("what is known of the last training can't be written", "err", err)
		return
	}
	s.savedChanged = s.state.Changed
}

// promotePending promotes a model that was found better, if a crash came before its promotion.
func (s *Scheduler) promotePending() error {
	m, ok := PendingPromotion(s.models, s.manager.Archive().Epoch())
	if !ok {
		return nil
	}
	return s.manager.Promote(m.Epoch)
}

// PendingPromotion returns the newest model that was found better than the one of epoch serving and has not replaced it
// yet.
func PendingPromotion(models *registry.Registry, serving uint32) (registry.Model, bool) {
	for _, m := range slices.Backward(models.List()) {
		if m.State == registry.Evaluated && m.Parent == serving {
			return m, true
		}
	}
	return registry.Model{}, false
}

func (s *Scheduler) minArtifacts() int { return max(s.triggers.MinArtifacts, MinArtifacts) }

func (s *Scheduler) due(now time.Time) bool {
	if s.triggers.Changes == 0 && s.triggers.Interval == 0 && s.triggers.Drift == 0 || s.manager.Archive().Artifacts() < s.minArtifacts() {
		return false
	}
	if _, replaced := s.manager.Serving(); replaced {
		return false // the model to start from is about to be replaced
	}
	if _, err := os.Stat(s.models.Path(checkpointName)); !errors.Is(err, fs.ErrNotExist) {
		return true // an interrupted training goes on
	}
	if s.untrained() {
		return true
	}
	l := &s.state
	return s.triggers.Changes > 0 && l.Changed >= s.triggers.Changes ||
		// By how much a clock that was set back has to catch up is no reason to wait for long.
		s.triggers.Interval > 0 && now.Sub(l.At).Abs() >= s.triggers.Interval && l.Changed > 0 ||
		s.triggers.Drift > 0 && s.drift >= s.triggers.Drift
}

// untrained tells that the model that serves was adapted to other encoders, or is of another shape than configured, and that nothing
// was trained from it since: no change of the archive is waited for. A training that failed is not tried again for that before the
// next start.
func (s *Scheduler) untrained() bool {
	epoch := s.manager.Archive().Epoch()
	m, err := s.models.Get(epoch)
	if err != nil || s.tried == epoch {
		return false
	}
	wanted := s.cfg.Options
	reshape := wanted != nil && m.Options != nil && *m.Options != *wanted
	return (m.Adapted || reshape) && !slices.ContainsFunc(s.models.List(), func(of registry.Model) bool {
		return of.Parent == epoch && !of.Adapted && (!reshape || of.Options != nil && *of.Options == *wanted)
	})
}

func (s *Scheduler) train(ctx context.Context) {
	a := s.manager.Archive()
	s.tried = a.Epoch()
	start := time.Now()
	s.log.Info("training begins", "epoch", a.Epoch(), "artifacts", a.Artifacts(), "changed", s.state.Changed, "drift", s.drift)
	next := triggerState{}
	if s.triggers.Drift > 0 {
		mix, err := a.Mix(driftSample)
		if err != nil {
			s.log.Warn("the mix of the archive can't be measured now", "err", err)
		}
		next.Mix = mix
	}
	s.archive, s.lastChanged, s.driftMeasuredAt = a, a.Changed(), -1
	last := s.attempt(ctx, a, start)
	s.metrics.setIdle()
	s.phase(Idle)
	if ctx.Err() != nil && last.Result != promoted {
		return // the training goes on in the next process
	}
	next.At, next.Last = last.At, last
	s.state, s.drift = next, 0
	s.metrics.countEnded(last.Result)
	s.poll()
	s.save()
}

// attempt is one training, from Run to the promotion.
func (s *Scheduler) attempt(ctx context.Context, a Archive, start time.Time) *Outcome {
	m, table, err := Run(ctx, s.cfg, a, a.Epoch(), s.models)
	took := time.Since(start).Round(time.Second)
	last := &Outcome{At: time.Now(), Result: failed, Epoch: m.Epoch}
	if table != nil {
		s.metrics.setCompared(table)
	}
	switch {
	case err != nil:
		last.Reason = err.Error()
		if ctx.Err() == nil {
			s.log.Error("training failed; the model that serves goes on", "err", err)
		}
		return last
	case !table.Promote:
		last.Result, last.Reason = rejected, table.Reason
		s.log.Info("the trained model is not better; the one that serves goes on", "epoch", m.Epoch, "reason", table.Reason, "took", took)
		return last
	}
	last.Result, last.Reason = promoted, table.Reason
	s.log.Info("the trained model is better and takes over", "epoch", m.Epoch, "reason", table.Reason, "took", took)
	if serves, replaced := s.manager.Serving(); serves != m.Parent || replaced {
		last.Result, last.Reason = rejected, "another model serves, or is to serve, than the one it was held against"
		s.log.Warn("the trained model does not take over: "+last.Reason, "epoch", m.Epoch, "held_against", m.Parent, "serves", serves)
		return last
	}
	if err := s.manager.Promote(m.Epoch); err != nil {
		last.Result, last.Reason = failed, err.Error()
		s.log.Error("the trained model can't take over now; it is tried again at the next start", "epoch", m.Epoch, "err", err)
	}
	return last
}

// step is Config.Step, and phase Config.Phase, of the Scheduler's Runs.
func (s *Scheduler) step(p train.Progress) {
	s.metrics.setStep(p)
	s.lock.Lock()
	defer s.lock.Unlock()
	s.status.Step, s.status.Steps, s.status.Stage = p.Step, p.Steps, p.Stage
}

func (s *Scheduler) phase(phase string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.status.Phase, s.status.Step, s.status.Steps, s.status.Stage = phase, 0, 0, ""
}
