package themes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"kilim/consumer/profile"
	"kilim/learner/theme"
)

// rounds is what is known of those that were.
type rounds struct {
	any   bool
	ended time.Time
	// cost is how long the last one worked.
	cost time.Duration
	// works is how many it fitted, or would have, of artifacts that it read; all of them count when records without labels may have some by
	// their fields.
	works, artifacts int
	weak             bool
	// failed: it is to be tried again, whether anything changes or not.
	failed bool
}

const (
	// spacing is how many times as long as a round took the next one is put off: rounds take a quarter of one processor, at most.
	spacing = 3
	// manyChanges is the share of the fitted works, or of all artifacts, that must have changed for a round to come no later than that. One change
	// of a hundred of these many comes after a hundred times as long.
	manyChanges = 0.02
)

// due tells whether the archive is to be surveyed, and a model fitted if it says something else than the last time.
func (k *Keeper) due(last rounds) bool {
	if k.wanted.Load() {
		return true
	}
	if k.lists.aligned && k.lists.lists.Due() > 0 && last.any {
		return false // a model is not replaced before it has made its lists, or a feed of labels would have them told for ever
	}
	since, _ := k.changes.counts()
	idle := time.Since(last.ended)
	switch {
	case !k.archive.Quiet() && idle < busyFor:
		return false
	case !last.any:
		return true
	case last.failed:
		return idle >= max(busyFor, spacing*last.cost)
	}
	return float64(idle) >= float64(spacing*last.cost)/last.share(since)
}

// share is how many of the changes there are that let a round come early, at most 1. Where no artifact has labels, records without labels
// change nothing: an archive that has none is not read again and again.
func (r *rounds) share(s since) float64 {
	many := float64(s.labelled) / max(1, manyChanges*float64(r.works))
	if r.works > 0 || r.weak {
		many += float64(s.others) / max(1, manyChanges*float64(r.artifacts))
	}
	return min(1, many)
}

// round surveys the archive, and has another model serve if what it says of themes is not what the one that serves was fitted on.
func (k *Keeper) round(ctx context.Context, last *rounds) {
	defer k.enter(Idle)
	k.hurried = k.wanted.Swap(false)
	defer func() { k.hurried = false }()
	k.changes.surveyed()
	k.worked = 0
	result, s, err := k.refit(ctx)
	if ctx.Err() != nil {
		return
	}
	*last = rounds{any: true, ended: time.Now(), cost: k.worked, failed: err != nil}
	if s != nil {
		last.works, last.artifacts = len(s.works)+s.left, s.artifacts
		for _, d := range s.declared {
			last.weak = last.weak || len(d.Weak) > 0
		}
	}
	if err != nil {
		result = failed
		k.log.Error("the themes can't be learned now; the model that serves goes on", "err", err)
	}
	k.metrics.rounds.WithLabelValues(result).Inc()
}

// Results of a round.
const (
	fitted    = "fitted"
	unchanged = "unchanged"
	nothing   = "nothing" // there is no theme
	failed    = "failed"
)

// refit returns the result of a round and what the archive said, nil if it could not be read.
func (k *Keeper) refit(ctx context.Context) (result string, s *survey, err error) {
	k.enter(Reading)
	s, err = k.read(ctx)
	if err != nil {
		return "", nil, err
	}
	k.surveyed(s)
	now, apart := s.sums()
	was := k.serving.Load()
	if was != nil && was.made.Sums == now {
		if len(k.lists.ahead) > 0 {
			k.replaced() // first lists were told of a theme that is not learned after all
		}
		return unchanged, s, nil
	}
	if len(s.labels) == 0 {
		return nothing, s, k.forget()
	}
	m, err := k.fit(ctx, s, now)
	if errors.Is(err, theme.ErrNoTerms) {
		return nothing, s, k.forget()
	}
	if err != nil {
		return "", s, err
	}
	made := Made{Format: fileFormat, At: time.Now().UTC(), Works: len(s.works), Artifacts: s.artifacts, Labelled: map[string]int{}, Sums: now, Apart: apart}
	m = m.Apart(slices.Collect(maps.Keys(apart))...)
	for _, name := range m.Themes() {
		made.Labelled[name] = s.labelled[name]
	}
	defer k.early.Store(nil)
	if err := k.answerEarly(ctx, s, m, made); err != nil {
		return "", s, err
	}
	// A model that can't be kept serves all the same: it costs the next start a fit.
	if err := write(k.modelFile(), made, m); err != nil {
		k.log.Warn("the model of themes can't be kept; it serves until the daemon ends", "err", err)
	}
	if err := k.serve(ctx, m, made); err != nil {
		return "", s, err
	}
	k.log.Info("another model of themes serves", "themes", len(m.Themes()), "terms", m.Terms(), "works", made.Works, "no_room", s.left)
	return fitted, s, nil
}

// fit makes a model of a survey. Where the works are those of the last fit, only what has other labels is solved.
func (k *Keeper) fit(ctx context.Context, s *survey, now sums) (*theme.Model, error) {
	k.enter(Fitting)
	if k.basis == nil || k.basisSums != now.Works {
		cfg := theme.DefaultConfig()
		cfg.Solved = func(terms, of int, took time.Duration) { // of one thread, Run's
			k.solved += terms
			k.advance(float64(k.solved) / float64(of))
			// Both end with Run's ctx, as Fit does. What can't be renewed now waits.
			_ = k.rest(ctx, took)
			_, _ = k.renew(ctx)
		}
		k.basis = nil // its memory is for the next one
		start := time.Now()
		basis, err := theme.NewBasis(cfg, s.works)
		if err != nil {
			return nil, err
		}
		if err := k.rest(ctx, time.Since(start)); err != nil {
			return nil, err
		}
		k.basis, k.basisSums = basis, now.Works
	}
	var from *theme.Model
	if was := k.serving.Load(); was != nil {
		from = was.model
	}
	k.solved = 0
	return k.basis.Fit(ctx, s.labels, from)
}

// serve makes the profiles of all artifacts by a model, and then has it serve. Until then the one before does.
func (k *Keeper) serve(ctx context.Context, m *theme.Model, made Made) error {
	k.enter(Profiling)
	next, done := newServing(m, made, k.cfg.profileBytes(), k.listBytes(&made)), 0
	k.next = next
	defer func() { k.next = nil }()
	err := k.each(ctx, func(a *profile.Artifact) {
		if done++; next.takes(a.ID) {
			next.put(a)
		}
		k.advance(min(1, float64(done)/float64(max(1, made.Artifacts))))
	})
	if err != nil {
		return err
	}
	k.serving.Store(next)
	k.replaced()
	return nil
}

// forget takes the model away, when no theme is left.
func (k *Keeper) forget() error {
	k.basis = nil
	k.serving.Store(nil)
	k.replaced()
	if err := os.Remove(k.modelFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("themes: %w", err)
	}
	return nil
}
