package themes

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

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
	// beside are profiles and outlines that were made for somebody who asked, of artifacts that there is no room for. Changes counts those of all profiles: what
	// was read before one may be of what was there before.
	beside  *simplelru.LRU[string, known]
	changes uint64
}

// besidePart is the part of the room for profiles that those beside them take in addition, of besideBytes each.
const besidePart, besideBytes = 8, 6 << 10

// sumBytes is about what an artifact takes in sums, with three themes and three groups that it shares with a few: some 60 bytes a theme to know
// of it, and 12 for each of 10 terms in each sum.
const sumBytes = 1200

func newServing(m *theme.Model, made Made, room, extra int) *serving {
	beside, _ := simplelru.NewLRU[string, known](max(1, room/besidePart/besideBytes), nil) // which fails of less than 1
	return &serving{model: m, made: made, room: room, extra: extra + sumBytes, table: theme.NewTable(m), works: map[string]uint64{}, beside: beside, sums: groups.New(m, func(p *theme.Profile) []string {
		return stored.Applying(m, p, mostLists)
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
	s.drop(a.ID)
	s.table.Put(a.ID, p)
	s.works[a.ID] = work
}

// remove forgets an artifact.
func (s *serving) remove(id string) {
	s.sums.Remove(nodeOf(id))
	s.lock.Lock()
	defer s.lock.Unlock()
	s.drop(id)
	s.table.Remove(id)
	delete(s.works, id)
}

// changed says that what an artifact was that has no room is another now.
func (s *serving) changed(id string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.drop(id)
}

func (s *serving) drop(id string) {
	s.changes++
	s.beside.Remove(id)
}

// known is what is known of an artifact: its profile, or the outline of one.
type known struct {
	profile *theme.Profile
	outline *theme.Outline
}

// find returns what is known of an artifact, if anything is, and how many changes there were until then.
func (s *serving) find(id string) (is known, changes uint64) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if is.profile = s.table.Profile(id); is.profile == nil {
		is, _ = s.beside.Get(id)
	}
	return is, s.changes
}

// keep keeps for a while what was made of an artifact, unless anything has changed since it was read, or it is the outline of one with so many words that it takes
// more than a profile.
func (s *serving) keep(id string, is known, changes uint64) {
	if is.outline != nil && is.outline.Bytes() > besideBytes {
		return
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.changes == changes {
		s.beside.Add(id, is)
	}
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
