package groups

import (
	"math"
	"sync"

	"kilim/learner/theme"
	"kilim/rerank/maps"
)

// Sums are the sums of all themes of a model.
type Sums struct {
	model *theme.Model
	// applies are the themes that an artifact counts in, by its profile.
	applies func(*theme.Profile) []string
	names   []string
	themes  map[string]*Theme

	lock sync.RWMutex
	// members are the artifacts, by their nodes.
	members map[uint64]member
}

type member struct {
	profile *theme.Profile
	themes  []string
}

// Theme is the sums of one theme.
type Theme struct {
	name string
	sums *Sums
	m    *maps.Map
	dim  int
}

// New makes Sums without artifacts.
func New(m *theme.Model, applies func(*theme.Profile) []string) *Sums {
	s := &Sums{model: m, applies: applies, names: m.Themes(), themes: map[string]*Theme{}, members: map[uint64]member{}}
	for _, name := range s.names {
		dim := 2 * len(m.TermsOf(name)) // see theme.Model.Coordinates
		s.themes[name] = &Theme{name, s, maps.NewSparse(dim), dim}
	}
	return s
}

// Names are the themes.
func (s *Sums) Names() []string { return s.names }

// Theme returns one of them, nil where the model does not know it.
func (s *Sums) Theme(name string) *Theme { return s.themes[name] }

// Version is another one after each change.
func (s *Sums) Version() (v uint64) {
	for _, t := range s.themes {
		v += t.m.Version()
	}
	return v
}

// Put says what an artifact is like, and which groups it belongs to.
func (s *Sums) Put(artifact uint64, p *theme.Profile, groups []uint64) {
	is := member{p, s.applies(p)}
	s.lock.Lock()
	was := s.members[artifact]
	s.members[artifact] = is
	s.lock.Unlock()
	for _, name := range was.themes {
		if t := s.themes[name]; !is.has(name) {
			t.m.Move(artifact, t.vectorOf(was.profile), nil)
		}
	}
	for _, name := range is.themes {
		t := s.themes[name]
		var from []float32
		if was.has(name) {
			from = t.vectorOf(was.profile)
		}
		to := t.vectorOf(p)
		t.m.Move(artifact, from, to)
		t.m.Join(artifact, groups, to)
	}
}

// Remove says that an artifact is gone.
func (s *Sums) Remove(artifact uint64) {
	s.lock.Lock()
	was := s.members[artifact]
	delete(s.members, artifact)
	s.lock.Unlock()
	for _, name := range was.themes {
		t := s.themes[name]
		t.m.Move(artifact, t.vectorOf(was.profile), nil)
	}
}

func (m *member) has(theme string) bool {
	for _, name := range m.themes {
		if name == theme {
			return true
		}
	}
	return false
}

// Map is how near the groups are in the theme.
func (t *Theme) Map() *maps.Map { return t.m }

// Vector implements maps.Vectors.
func (t *Theme) Vector(artifact uint64, into []float32) bool {
	t.sums.lock.RLock()
	is := t.sums.members[artifact]
	t.sums.lock.RUnlock()
	if !is.has(t.name) {
		return false
	}
	t.fill(is.profile, into)
	return true
}

func (t *Theme) vectorOf(p *theme.Profile) []float32 {
	v := make([]float32, t.dim)
	t.fill(p, v)
	return v
}

// fill writes the unit vector of a profile, which is 0 where nothing of the theme is expected, into what is 0.
func (t *Theme) fill(p *theme.Profile, into []float32) {
	for _, c := range t.unit(p) {
		into[c.Place] = c.Value
	}
}

// unit are the coordinates of a profile, divided by their length; none where nothing of the theme is expected.
func (t *Theme) unit(p *theme.Profile) []theme.Coordinate {
	at := t.sums.model.Coordinates(t.name, p)
	squares := 0.0
	for _, c := range at {
		squares += float64(c.Value) * float64(c.Value)
	}
	if squares == 0 {
		return nil
	}
	length := math.Sqrt(squares)
	for i := range at {
		at[i].Value = float32(float64(at[i].Value) / length)
	}
	return at
}
