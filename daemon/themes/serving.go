package themes

import (
	"sync"

	"kilim/learner/theme"
)

// serving is a model with the profiles of the artifacts that it compares. Model and made are never changed; profiles follow the
// records.
type serving struct {
	model *theme.Model
	made  Made
	room  int // bytes of all profiles

	// lock is held for reading while an artifact is compared with all, some milliseconds. Who applies batches never wants it, see changes.
	lock sync.RWMutex
	// kept are the profiles in no order, and place where an artifact's is among them.
	kept  []kept
	place map[string]int
	bytes int
}

type kept struct {
	id      string
	profile *theme.Profile
}

func newServing(m *theme.Model, made Made, room int) *serving {
	return &serving{model: m, made: made, room: room, place: map[string]int{}}
}

// takes tells whether the profile of an artifact is kept, or there is room for it. Artifacts that there is no room for are in nobody's
// list, and have theirs all the same.
func (s *serving) takes(id string) bool {
	s.lock.RLock()
	defer s.lock.RUnlock()
	_, has := s.place[id]
	return has || s.bytes < s.room
}

// put keeps a profile, or another one of an artifact that has one.
func (s *serving) put(id string, p *theme.Profile) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if at, has := s.place[id]; has {
		s.bytes += p.Bytes() - s.kept[at].profile.Bytes()
		s.kept[at].profile = p
		return
	}
	s.place[id] = len(s.kept)
	s.kept = append(s.kept, kept{id, p})
	s.bytes += p.Bytes()
}

// remove forgets an artifact.
func (s *serving) remove(id string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	at, has := s.place[id]
	if !has {
		return
	}
	s.bytes -= s.kept[at].profile.Bytes()
	delete(s.place, id)
	last := len(s.kept) - 1
	if at != last {
		s.kept[at] = s.kept[last]
		s.place[s.kept[at].id] = at
	}
	s.kept[last] = kept{}
	s.kept = s.kept[:last]
}

// get is the profile of an artifact, nil if none is kept.
func (s *serving) get(id string) *theme.Profile {
	s.lock.RLock()
	defer s.lock.RUnlock()
	if at, has := s.place[id]; has {
		return s.kept[at].profile
	}
	return nil
}

// each calls fn for every profile.
func (s *serving) each(fn func(id string, p *theme.Profile)) {
	s.lock.RLock()
	defer s.lock.RUnlock()
	for i := range s.kept {
		fn(s.kept[i].id, s.kept[i].profile)
	}
}

// sizes are how many profiles are kept, and what they take.
func (s *serving) sizes() (profiles, bytes int) {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return len(s.kept), s.bytes
}
