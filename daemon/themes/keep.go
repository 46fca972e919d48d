package themes

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kilim/daemon/themes/stored"
	"kilim/rerank"
)

// Store keeps lists and the messages that tell of them, in the state that serves, whichever that is.
type Store interface {
	// Rows calls fn with each row that was Put.
	Rows(fn func(row []byte) error) error
	// Lost is the revision up to which what was published is not known to be in its topic any more.
	Lost() uint64
	// Commit makes all durable at once that write Puts, Deletes and Enqueues. It may call write more than once: all but the last are for nothing.
	Commit(ctx context.Context, write func(stored.Writer) error) error
	// Topic sees to it that a topic is there.
	Topic(ctx context.Context, name string) error
}

// keeping is where the lists stand that are stored. It is Run's alone, but for the rows and what they are current by: others read these, under
// lock.
type keeping struct {
	lock  sync.RWMutex
	lists *stored.Lists
	// decided: it is known which model serves, or that none does; and aligned: the lists know it.
	decided, aligned bool
	// muted are the themes whose topics can't be made, with why. Nothing is stored or told of them.
	muted map[string]error
	// ahead are the themes of which lists were told before the model serves that makes them, see Keeper.tellEarly.
	ahead []string
	// tryAt is when it is tried again to make topics.
	tryAt time.Time
}

const (
	// dueAtOnce is how many lists are made anew beside those of what has changed, which may be never enough.
	dueAtOnce = 16
	// refilled is how many lists are searched anew in one commit since they lost an entry. The others are due.
	refilled = 32
)

// listBytes is what the lists of an artifact take beside its profile.
func (k *Keeper) listBytes(made *Made) int {
	if k.cfg.Store == nil {
		return 0
	}
	return k.cfg.Lists.Bytes(len(made.Apart))
}

// loadLists takes up the rows that are stored.
func (k *Keeper) loadLists() error {
	if k.cfg.Store == nil {
		return nil
	}
	lists := stored.New(k.cfg.Lists)
	if err := k.cfg.Store.Rows(lists.Load); err != nil {
		return fmt.Errorf("themes: the lists that are stored: %w", err)
	}
	k.lists.lock.Lock()
	defer k.lists.lock.Unlock()
	k.lists.lists = lists
	k.countLists()
	return nil
}

// relist brings the lists up to date that changed artifacts have and are in, and some that are due. It returns how many artifacts it took.
func (k *Keeper) relist(ctx context.Context, changed []rerank.Cause) (took int, err error) {
	if k.cfg.Store == nil {
		return 0, nil
	}
	lists := k.lists.lists
	lists.Lost(k.cfg.Store.Lost())
	if err := k.align(ctx); err != nil || !k.lists.aligned {
		return 0, err // what changes meanwhile is found when they are aligned
	}
	pass := lists.Begin()
	for _, c := range changed {
		pass.Take(c.ID, c)
	}
	for _, id := range lists.Take(dueAtOnce) {
		pass.Take(id, rerank.Cause{})
		took++
	}
	pass.Rank(refilled)
	if !pass.Empty() {
		if err := k.cfg.Store.Commit(ctx, pass.Write); err != nil {
			return 0, fmt.Errorf("themes: store lists: %w", err)
		}
	}
	k.lists.lock.Lock()
	defer k.lists.lock.Unlock()
	pass.Committed()
	k.countLists()
	return took, nil
}

// countLists shows the outside how many lists there are. Before they are aligned, all may be due.
func (k *Keeper) countLists() {
	if k.cfg.Store == nil {
		return
	}
	lists, due := k.lists.lists.Count(), k.lists.lists.Due()
	if !k.lists.aligned {
		due = k.lists.lists.Rows()
		if s := k.serving.Load(); s != nil {
			profiles, _ := s.sizes()
			due = max(due, profiles)
		}
	}
	faults := map[string]string{}
	for name, err := range k.lists.muted {
		faults[name] = err.Error()
	}
	k.status.Lock()
	defer k.status.Unlock()
	k.status.stored, k.status.due, k.status.faults = lists, due, faults
}

// told is an artifact's list as it was told last, nil when it has none, or one that is to be made anew, or is wanted longer than it is.
func (k *Keeper) told(s *serving, id, name string, n int) *Answer {
	if k.cfg.Store == nil || n > k.cfg.Lists.Size || k.changes.waits(id) {
		return nil
	}
	k.lists.lock.RLock()
	list := k.lists.lists.Told(id, name)
	k.lists.lock.RUnlock()
	own, _ := s.ProfileOf(id)
	if list == nil || own == nil || list.Model != s.made.IDOf(name) {
		return nil
	}
	answer := &Answer{ID: id, Theme: name, Presence: s.model.Presence(name, own), Applies: true, Made: s.made}
	question, gone := s.model.Ask(own), k.changes.deleted()
	for _, e := range list.Entries[:min(n, len(list.Entries))] {
		to, _ := s.ProfileOf(e.ID)
		if _, deleted := gone[e.ID]; deleted || to == nil {
			continue
		}
		answer.Items = append(answer.Items, Item{e.ID, e.Parts.Score(), e.Parts, question.Explain(name, to, reasons)})
	}
	return answer
}
