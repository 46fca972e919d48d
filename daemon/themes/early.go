package themes

import (
	"context"
	"slices"
	"time"

	"kilim/consumer/profile"
	"kilim/daemon/themes/stored"
	"kilim/graphstore/weave"
	"kilim/learner/theme"
)

// Themes that are new are answered for as soon as there are firstEarly profiles, by mostEarly when all are made: some 30 and 200 ms, and 2 MB beside
// Config.Memory.
const firstEarly, mostEarly = 32, 256

// answerEarly has a model answer for the themes that the one before did not know, by artifacts with labels of these, before the profiles of all
// are made, which takes a minute for 12,000 while batches come. Such answers say that they are partial; nothing of them is stored or told. All other themes are
// answered by the model before, until this one serves.
func (k *Keeper) answerEarly(ctx context.Context, s *survey, m *theme.Model, made Made) error {
	defer func() { k.hurried = false }()
	var fresh []string
	was := k.serving.Load()
	for _, name := range m.Themes() {
		if was == nil || len(was.model.TermsOf(name)) == 0 {
			fresh = append(fresh, name)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	k.enter(Profiling)
	early := newServing(m, made, k.cfg.profileBytes(), k.listBytes(&made))
	early.partial = true
	for i := range s.works {
		id := s.works[i].ID
		if !s.hasAny(id, fresh) {
			continue
		}
		start := time.Now()
		a, err := k.sound(id) // as it is now: it may have been deleted since the survey
		if err != nil {
			return err
		}
		if a != nil {
			early.put(a)
		}
		if early.table.Len() == firstEarly {
			k.early.Store(early)
		}
		if early.table.Len() == mostEarly {
			break
		}
		if err := k.rest(ctx, time.Since(start)); err != nil {
			return err
		}
	}
	k.early.Store(early)
	for _, name := range fresh {
		if err := k.tellEarly(ctx, early, name); err != nil {
			return err
		}
	}
	return nil
}

// toldAtOnce is how many lists of a new theme are told in one commit before the model serves that makes them all.
const toldAtOnce = 64

// tellEarly has the lists be told that answerEarly answers with, those of mostEarly artifacts at most: who follows the topic of a theme that was declared would wait for
// the profiles of all else. They are told again when all are there. What can't be told now is told then.
func (k *Keeper) tellEarly(ctx context.Context, early *serving, name string) error {
	if k.cfg.Store == nil || !k.lists.aligned || k.serving.Load() == nil {
		return nil
	}
	if muted, _ := k.makeTopics(ctx, []string{name}); len(muted) > 0 {
		return ctx.Err()
	}
	for id := range k.changes.deleted() {
		early.remove(id)
	}
	var ids []string
	early.Table(func(t *theme.Table) { t.Each(func(id string, _ *theme.Profile) { ids = append(ids, id) }) })
	m := &stored.Model{ID: early.made.ID(), Of: early.made.IDOf, Model: early.model, Profiles: early}
	for some := range slices.Chunk(ids, toldAtOnce) {
		start := time.Now()
		ahead := k.lists.lists.Ahead(m, name, some)
		if ahead.Empty() {
			continue
		}
		if err := k.cfg.Store.Commit(ctx, ahead.Write); err != nil {
			k.metrics.failures.Inc()
			k.log.Warn("the first lists of a theme can't be told before all are made", "theme", name, "err", err)
			return ctx.Err()
		}
		k.lists.lock.Lock()
		ahead.Committed()
		if !slices.Contains(k.lists.ahead, name) {
			k.lists.ahead = append(k.lists.ahead, name)
		}
		k.countLists()
		k.lists.lock.Unlock()
		if err := k.rest(ctx, time.Since(start)); err != nil {
			return err
		}
	}
	return nil
}

// hasAny tells whether an artifact has labels of one of some themes.
func (s *survey) hasAny(id string, themes []string) bool {
	for _, name := range themes {
		if len(s.labels[id][name]) > 0 {
			return true
		}
	}
	return false
}

// sound is a stored artifact, nil when it is not there or can't be read.
func (k *Keeper) sound(id string) (a *profile.Artifact, err error) {
	err = k.archive.View(func(r Documents) error {
		a, err = weave.ReadIfSound(r, id)
		return err
	})
	return a, err
}
