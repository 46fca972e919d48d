package themes

import (
	"sync"

	"kilim/consumer/profile"
	"kilim/learner/theme"
)

// serving is a model with the profiles of the artifacts that it compares. Model and made are never changed; profiles follow the
// records.
type serving struct {
	model *theme.Model
	made  Made
	room  int // bytes of all profiles
	extra int // bytes of an artifact beside its profile

	// lock is held for reading while an artifact is compared with all, some milliseconds. Who applies batches never wants it, see changes.
	lock sync.RWMutex
	// kept are the profiles in no order, and place where an artifact's is among them.
	kept  []kept
	place map[string]int
	bytes int
}

type kept struct {
	id      string
	work    uint64 // a checksum of what the profile was made of
	profile *theme.Profile
}

func newServing(m *theme.Model, made Made, room, extra int) *serving {
	return &serving{model: m, made: made, room: room, extra: extra, place: map[string]int{}}
}

// takes tells whether the profile of an artifact is kept, or there is room for it. Artifacts that there is no room for are in nobody's
// list, and have theirs all the same.
func (s *serving) takes(id string) bool {
	s.lock.RLock()
	defer s.lock.RUnlock()
	_, has := s.place[id]
	return has || s.bytes < s.room
}

// put keeps the profile of an artifact, in the place of the one that it has, if it has one.
func (s *serving) put(a *profile.Artifact) {
	w := theme.WorkOf(a)
	k := kept{a.ID, sumOf(&w), s.model.Profile(&w)}
	s.lock.Lock()
	defer s.lock.Unlock()
	if at, has := s.place[k.id]; has {
		s.bytes += k.profile.Bytes() - s.kept[at].profile.Bytes()
		s.kept[at] = k
		return
	}
	s.place[k.id] = len(s.kept)
	s.kept = append(s.kept, k)
	s.bytes += k.profile.Bytes() + s.extra
}

// remove forgets an artifact.
func (s *serving) remove(id string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	at, has := s.place[id]
	if !has {
		return
	}
	s.bytes -= s.kept[at].profile.Bytes() + s.extra
	delete(s.place, id)
	last := len(s.kept) - 1
	if at != last {
		s.kept[at] = s.kept[last]
		s.place[s.kept[at].id] = at
	}
	s.kept[last] = kept{}
	s.kept = s.kept[:last]
}

// ProfileOf implements stored.Profiles.
func (s *serving) ProfileOf(id string) (p *theme.Profile, work uint64) {
	s.lock.RLock()
	defer s.lock.RUnlock()
	if at, has := s.place[id]; has {
		return s.kept[at].profile, s.kept[at].work
	}
	return nil, 0
}

// Each implements stored.Profiles.
func (s *serving) Each(fn func(id string, work uint64, p *theme.Profile)) {
	s.lock.RLock()
	defer s.lock.RUnlock()
	for i := range s.kept {
		fn(s.kept[i].id, s.kept[i].work, s.kept[i].profile)
	}
}

// sizes are how many profiles are kept, and what they take.
func (s *serving) sizes() (profiles, bytes int) {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return len(s.kept), s.bytes
}
