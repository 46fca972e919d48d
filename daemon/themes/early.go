package themes

import (
	"context"
	"time"

	"kilim/consumer/profile"
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
