package themes

import (
	"sync"

	"kilim/consumer/profile"
	"kilim/daemon/pipeline/atlas"
	"kilim/daemon/themes/groups"
	"kilim/daemon/themes/stored"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/theme"
)

// serving is a model with the profiles of the artifacts that it compares. Model and made are never changed; profiles follow the
// records.
type serving struct {
	model *theme.Model
	made  Made
	room  int // bytes of all profiles
	extra int // bytes of an artifact beside its profile
	// partial: it has the profiles of some artifacts alone, see answerEarly.
	partial bool
	// sums are how near cultures, periods and places are in each theme, by the profiles.
	sums *groups.Sums

	// lock is held for reading while an artifact is compared with others. Who applies batches never wants it, see changes.
	lock  sync.RWMutex
	table *theme.Table
	works map[string]uint64 // a checksum of what a profile was made of, by artifact
}

// sumBytes is about what an artifact takes in sums, with three themes and three groups that it shares with a few: some 60 bytes a theme to know
// of it, and 12 for each of 10 terms in each sum.
const sumBytes = 1200

func newServing(m *theme.Model, made Made, room, extra int) *serving {
	return &serving{model: m, made: made, room: room, extra: extra + sumBytes, table: theme.NewTable(m), works: map[string]uint64{}, sums: groups.New(m, func(p *theme.Profile) []string {
		return stored.Applying(m, p, mostLists, leastPresence)
	})}
}

func nodeOf(id string) uint64 { return uint64(graphstore.ID(graphstore.Artifact, id)) }

// takes tells whether the profile of an artifact is kept, or there is room for it. Artifacts that there is no room for are in nobody's
// list, and have theirs all the same. One that is partial takes nobody more.
func (s *serving) takes(id string) bool {
	s.lock.RLock()
	defer s.lock.RUnlock()
	_, has := s.works[id]
	return has || !s.partial && s.bytes() < s.room && s.table.Len() < theme.MostInTable
}

// bytes is what all of it takes.
func (s *serving) bytes() int { return s.table.Bytes() + s.table.Len()*s.extra }

// put keeps the profile of an artifact, in the place of the one that it has, if it has one.
func (s *serving) put(a *profile.Artifact) {
	w := theme.WorkOf(a)
	p, work := s.model.Profile(&w), sumOf(&w)
	s.sums.Put(nodeOf(a.ID), p, atlas.Groups(weave.Edges(a)))
	s.lock.Lock()
	defer s.lock.Unlock()
	s.table.Put(a.ID, p)
	s.works[a.ID] = work
}

// remove forgets an artifact.
func (s *serving) remove(id string) {
	s.sums.Remove(nodeOf(id))
	s.lock.Lock()
	defer s.lock.Unlock()
	s.table.Remove(id)
	delete(s.works, id)
}

// ProfileOf implements stored.Profiles.
func (s *serving) ProfileOf(id string) (p *theme.Profile, work uint64) {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return s.table.Profile(id), s.works[id]
}

// Table implements stored.Profiles.
func (s *serving) Table(fn func(*theme.Table)) {
	s.lock.RLock()
	defer s.lock.RUnlock()
	fn(s.table)
}

// Admit implements stored.Profiles.
func (s *serving) Admit(id string, from []float64) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.table.Admit(id, from)
}

// sizes are how many profiles are kept, and what they take.
func (s *serving) sizes() (profiles, bytes int) {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return s.table.Len(), s.bytes()
}
