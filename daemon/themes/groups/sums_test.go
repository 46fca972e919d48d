package groups

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"kilim/graphstore/weave"
	"kilim/learner/theme"
)

// world makes works of an invented archive and their labels: each is of a topic or two, which give it words and, by theme, terms.
func world(rng *rand.Rand, n, terms int) ([]theme.Work, map[string]theme.Labels) {
	works, labels := make([]theme.Work, n), map[string]theme.Labels{}
	for i := range works {
		w, own := theme.Work{ID: fmt.Sprintf("w:%d", i)}, theme.Labels{}
		var said []string
		for range 1 + rng.IntN(2) {
			topic := rng.IntN(3 * terms)
			for range 4 {
				said = append(said, fmt.Sprintf("word%dq%d", topic, rng.IntN(4)))
			}
			name := []string{"motif", "craft", "belief"}[topic%3]
			own[name] = append(own[name], fmt.Sprintf("term %d", topic))
		}
		w.Texts = []weave.Text{{Body: strings.Join(said, " ")}}
		works[i], labels[w.ID] = w, own
	}
	return works, labels
}

func modelOf(t testing.TB, works []theme.Work, labels map[string]theme.Labels) *theme.Model {
	t.Helper()
	basis, err := theme.NewBasis(theme.DefaultConfig(), works)
	if err != nil {
		t.Fatal(err)
	}
	m, err := basis.Fit(t.Context(), labels, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func keysOf[V any](m map[uint64]V) iter.Seq[uint64] { return maps.Keys(m) }

// applying are the themes of a profile that are likelier than not.
func applying(m *theme.Model) func(*theme.Profile) []string {
	return func(p *theme.Profile) (out []string) {
		for _, name := range m.Themes() {
			if m.Presence(name, p) > 0.5 {
				out = append(out, name)
			}
		}
		return out
	}
}

// TestHistories: after any history of artifacts that come, change their profiles, their groups or both, and go, the sums of each theme are those made anew of
// what is there, bit for bit; and a member's vector has length 1, or none where its profile expects nothing of the theme.
func TestHistories(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 5))
	works, labels := world(rng, 150, 6)
	m := modelOf(t, works, labels)
	profiles := make([]*theme.Profile, len(works))
	for i := range works {
		profiles[i] = m.Profile(&works[i])
	}
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 9))
		type state struct {
			p      *theme.Profile
			groups []uint64
		}
		live, s := map[uint64]state{}, New(m, applying(m))
		counted := 0
		for step := range 300 {
			id := uint64(rng.IntN(40))
			before := s.Version()
			if rng.IntN(4) == 0 {
				_, there := live[id]
				counts := there && len(s.members[id].themes) > 0
				delete(live, id)
				s.Remove(id)
				if counts && s.Version() == before {
					t.Fatalf("seed %d, step %d: an artifact has gone, and the version is what it was", seed, step)
				}
				continue
			}
			is := state{profiles[rng.IntN(len(profiles))], []uint64{uint64(rng.IntN(5)), 10 + uint64(rng.IntN(3))}[:1+rng.IntN(2)]}
			if was, there := live[id]; there && rng.IntN(2) == 0 {
				is.p = was.p
			}
			live[id] = is
			s.Put(id, is.p, is.groups)
		}
		anew := New(m, applying(m))
		for id, is := range live {
			anew.Put(id, is.p, is.groups)
		}
		for _, name := range s.Names() {
			is := s.Theme(name)
			if !is.Map().Equal(anew.Theme(name).Map()) {
				t.Errorf("seed %d: the sums of %s are not those made anew", seed, name)
			}
			for id := range live {
				v := make([]float32, is.dim)
				if !is.Vector(id, v) {
					continue
				}
				counted++
				squares := 0.0
				for _, x := range v {
					squares += float64(x) * float64(x)
				}
				if squares != 0 && math.Abs(squares-1) > 1e-5 {
					t.Errorf("seed %d: the vector of %d in %s has length %v", seed, id, name, math.Sqrt(squares))
				}
			}
		}
		if counted == 0 {
			t.Errorf("seed %d: no artifact counts in any theme", seed)
		}
		for id := range live {
			s.Remove(id)
		}
		for _, name := range s.Names() {
			if !s.Theme(name).Map().Equal(New(m, applying(m)).Theme(name).Map()) {
				t.Errorf("seed %d: something of %s is left of an empty archive", seed, name)
			}
		}
	}
}

// BenchmarkPut is what an artifact that has changed costs: out of three themes of 64 terms, and three groups of hundreds, and in again.
func BenchmarkPut(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 5))
	works, labels := world(rng, 1000, 64)
	m := modelOf(b, works, labels)
	s := New(m, func(*theme.Profile) []string { return m.Themes() })
	profiles := make([]*theme.Profile, len(works))
	for i := range works {
		profiles[i] = m.Profile(&works[i])
		s.Put(uint64(i), profiles[i], []uint64{uint64(i % 5), 10 + uint64(i%7), 20 + uint64(i%11)})
	}
	b.ResetTimer()
	for i := range b.N {
		at := i % len(works)
		s.Put(uint64(at), profiles[(at+i)%len(works)], []uint64{uint64(at % 5), 10 + uint64(at%7), 20 + uint64(at%11)})
	}
}
