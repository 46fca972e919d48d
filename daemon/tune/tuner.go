package tune

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"kilim/daemon/chain"
	"kilim/daemon/models"
)

// Keeper holds the chain that serves, and lets another model take over.
type Keeper interface {
	Engine() *chain.Engine
	Promote(epoch uint32) error
}

// Triggers say when to train. Both zero: never.
type Triggers struct {
	// Changes is how much the archive must have changed since the last training, in archives.
	Changes float64
	// Interval is the time between two trainings, if anything has changed.
	Interval time.Duration
	// Least is the number of artifacts below which nothing is trained.
	Least int
}

// Tuner trains beside a daemon's work whenever that is due.
type Tuner struct {
	cfg      Config
	triggers Triggers
	keeper   Keeper
	registry *models.Registry
	metrics  *Metrics
	log      *slog.Logger

	changed float64 // at the last training
	at      time.Time
}

// New returns a tuner. What was trained before its start counts as trained at the start.
func New(cfg Config, triggers Triggers, keeper Keeper, registry *models.Registry, metrics *Metrics, log *slog.Logger) *Tuner {
	cfg.Step, cfg.Log = metrics.step, log
	return &Tuner{cfg: cfg, triggers: triggers, keeper: keeper, registry: registry, metrics: metrics, log: log}
}

// looks is the time between two looks at the triggers.
const looks = 5 * time.Second

// Run trains whenever it is due, until ctx ends. A training that fails is logged and tried again when it
// is due again: what serves is not concerned.
func (t *Tuner) Run(ctx context.Context) error {
	if err := t.takeUp(); err != nil {
		t.log.Warn("a model that was found good can't be promoted now", "err", err)
	}
	t.begin()
	tick := time.NewTicker(looks)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			if !t.due(now) {
				continue
			}
			t.train(ctx)
		}
	}
}

// begin finds what the last training knew: an unfinished one is due at once.
func (t *Tuner) begin() {
	t.at = time.Now()
	all := t.registry.List()
	if last := all[len(all)-1]; last.Checkpoint == "" {
		return // nothing was trained yet: all that is there is new
	}
	t.changed = t.keeper.Engine().Changed()
}

// takeUp promotes a model that was found good when a crash came between.
func (t *Tuner) takeUp() error {
	serving := t.keeper.Engine().Epoch()
	for _, m := range slices.Backward(t.registry.List()) {
		if m.State == models.Evaluated && m.Parent == serving {
			return t.keeper.Promote(m.Epoch)
		}
	}
	return nil
}

func (t *Tuner) due(now time.Time) bool {
	e := t.keeper.Engine()
	if e.Artifacts() < max(t.triggers.Least, Least) {
		return false
	}
	changed := e.Changed() - t.changed
	return t.triggers.Changes > 0 && changed >= t.triggers.Changes ||
		t.triggers.Interval > 0 && now.Sub(t.at) >= t.triggers.Interval && changed > 0
}

func (t *Tuner) train(ctx context.Context) {
	e := t.keeper.Engine()
	t.changed, t.at = e.Changed(), time.Now()
	start := time.Now()
	t.log.Info("training begins", "epoch", e.Epoch(), "artifacts", e.Artifacts())
	m, table, err := Run(ctx, t.cfg, e, e.Epoch(), t.registry)
	t.metrics.idle()
	switch {
	case ctx.Err() != nil:
		return // it goes on after the next start
	case err != nil:
		t.metrics.ended("failed")
		if !errors.Is(err, ErrTooFew) {
			t.log.Error("training failed; the model that serves goes on", "err", err)
		}
		return
	}
	t.metrics.judged(table)
	took := time.Since(start).Round(time.Second)
	if !table.Promote {
		t.metrics.ended("rejected")
		t.log.Info("the trained model is not better; the one that serves goes on", "epoch", m.Epoch, "reason", table.Reason, "took", took)
		return
	}
	t.log.Info("the trained model is better and takes over", "epoch", m.Epoch, "reason", table.Reason, "took", took)
	if err := t.keeper.Promote(m.Epoch); err != nil {
		t.metrics.ended("failed")
		t.log.Error("the trained model can't take over now; it is tried again at the next start", "epoch", m.Epoch, "err", err)
		return
	}
	t.metrics.ended("promoted")
}
