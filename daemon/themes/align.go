package themes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"kilim/daemon/themes/stored"
)

const (
	// topicsEvery is how long it takes until topics are asked for again that could not be made.
	topicsEvery = time.Minute
	// topicWithin is how long one may take: brokers that don't answer hold up what else is to be done.
	topicWithin = 5 * time.Second
)

// replaced has the lists follow another model, or the lack of one.
func (k *Keeper) replaced() {
	k.lists.decided, k.lists.aligned, k.lists.tryAt, k.lists.ahead = true, false, time.Time{}, nil
	k.known.Store(true)
	k.countLists()
}

// align has lists be due that are not the serving model's, with the topics there that tell of them: a message for one that is missing would hold up
// all others. Of a theme whose topic can't be made nothing is told until it is, and all other themes go on. While none can be
// made, which is what brokers that are away look like, all lists are as they were.
func (k *Keeper) align(ctx context.Context) error {
	l := &k.lists
	if !l.decided || l.aligned && len(l.muted) == 0 || time.Now().Before(l.tryAt) {
		return nil
	}
	s := k.serving.Load()
	names := slices.Collect(maps.Keys(l.muted))
	if !l.aligned {
		names = l.lists.Themes()
		if s != nil {
			names = append(names, s.model.Themes()...)
		}
	}
	slices.Sort(names)
	muted, last := k.makeTopics(ctx, slices.Compact(names))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(muted) > 0 {
		l.tryAt = time.Now().Add(topicsEvery)
		k.metrics.failures.Inc()
	}
	switch {
	case !l.aligned && len(muted) == len(names) && len(names) > 0:
		return fmt.Errorf("themes: no topic of a theme can be made, and no list is stored or published before: %w", last)
	case l.aligned && len(muted) == len(l.muted):
		l.muted = muted
		return nil
	}
	k.sayMuted(l.muted, muted)
	var m *stored.Model
	if s != nil {
		m = &stored.Model{ID: s.made.ID(), Of: s.made.IDOf, Model: s.model, Profiles: s}
	}
	l.lock.Lock()
	defer l.lock.Unlock()
	l.muted = muted
	l.lists.Align(m, append(slices.Collect(maps.Keys(muted)), l.ahead...)...)
	l.aligned = true
	k.countLists()
	return nil
}

// makeTopics sees to it that the topics of themes are there, and returns the themes of which they can't be made, with why, and the last reason.
func (k *Keeper) makeTopics(ctx context.Context, names []string) (muted map[string]error, last error) {
	muted = map[string]error{}
	for _, name := range names {
		err := k.free(name)
		if err == nil {
			within, cancel := context.WithTimeout(ctx, topicWithin)
			err = k.cfg.Store.Topic(within, k.topic(name))
			cancel()
		}
		if err != nil {
			muted[name], last = err, err
		}
	}
	return muted, last
}

// sayMuted logs which topics can't be made, and which can be made again, when that changes.
func (k *Keeper) sayMuted(before, now map[string]error) {
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if before[name] == nil {
			k.log.Warn("the topic of a theme can't be made: its lists are not stored or published until it is; all other themes go on",
				"theme", name, "topic", k.topic(name), "err", now[name], "tried_again_in", topicsEvery)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if now[name] == nil {
			k.log.Info("the topic of a theme is there now: its lists are stored and published", "theme", name, "topic", k.topic(name))
		}
	}
}

// topic is where the lists of a theme go.
func (k *Keeper) topic(theme string) string { return stored.Topic(k.cfg.Lists.Similar, theme) }

// free is an ErrDeclaration if a theme's topic is configured for something else.
func (k *Keeper) free(theme string) error {
	if setting := k.cfg.Taken[k.topic(theme)]; setting != "" {
		return fmt.Errorf("%w: name %q: its topic would be %q, which is %s: choose another name, or change that setting", ErrDeclaration, theme, k.topic(theme), setting)
	}
	return nil
}
