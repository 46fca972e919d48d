package theme

import (
	"reflect"
	"slices"
	"testing"
)

// TestPairs: a Pair is what both Works say that ask, to the bit, and no score is above its reach.
func TestPairs(t *testing.T) {
	t.Parallel()
	works, labels := world(3, 120)
	m := fit(t, basisOf(t, DefaultConfig(), works[:90]), labels, nil)
	var profiles []*Profile
	var questions []*Question
	for i := range works {
		p := m.Profile(&works[i])
		profiles, questions = append(profiles, p), append(questions, m.Ask(p))
	}
	near := 0
	for _, name := range m.Themes() {
		for i, q := range questions {
			r, ok := m.Respect(name)
			if !ok {
				t.Fatalf("theme %q is not there", name)
			}
			for j, p := range profiles {
				meeting := q.Meet(p)
				least := [2]float64{}
				asking, asked := meeting.Reach(r)
				pair := meeting.Pair(r)
				least[0], least[1] = meeting.Reach(r)
				there, _ := q.Compare(name, p)
				back, _ := questions[j].Compare(name, profiles[i])
				if pair.Asking != there || pair.Asked != back {
					t.Fatalf("%s of %d and %d: %+v, the two that ask say %+v and %+v", name, i, j, pair, there, back)
				}
				for k, bounds := range [][2]float64{{there.Score(), asking}, {back.Score(), asked}} {
					if !slices.IsSorted(bounds[:]) || least[k] < bounds[0] || least[k] > bounds[0]+1e-5 {
						t.Fatalf("%s of %d and %d: a score and what bounds it are %v, and %v", name, i, j, bounds, least[k])
					}
				}
				if there.Score() > 0.11 && asking-there.Score() < 0.1 {
					near++
				}
			}
		}
	}
	if near == 0 {
		t.Error("no reach is near its score")
	}
	if _, ok := m.Respect("nothing"); ok {
		t.Error("a theme that is not there")
	}
}

// TestBounds: every score of a comparison is between its bounds, some near the upper one, and an Outline is completed to the Profile, to the bit.
func TestBounds(t *testing.T) {
	t.Parallel()
	works, labels := world(4, 150)
	m := fit(t, basisOf(t, DefaultConfig(), works[:100]), labels, nil)
	for _, m := range []*Model{m, m.Apart("number")} {
		var outlines []*Outline
		var profiles []*Profile
		for i := range works {
			outlines = append(outlines, m.Outline(&works[i]))
			profiles = append(profiles, m.Complete(outlines[i]))
			if want := m.Profile(&works[i]); !reflect.DeepEqual(profiles[i], want) {
				t.Fatalf("work %d: %+v, want %+v", i, profiles[i], want)
			}
		}
		tight := 0
		for i, asking := range profiles {
			q := m.Ask(asking)
			for j, p := range profiles {
				for _, name := range m.Themes() {
					low, high, ok := q.Bounds(name, outlines[j])
					parts, _ := q.Compare(name, p)
					if score := parts.Score(); !ok || score < low || score > high {
						t.Fatalf("%s of %d and %d: %g is not between %g and %g", name, i, j, score, low, high)
					} else if high-score < 0.05 {
						tight++
					}
				}
			}
		}
		if tight < 100 {
			t.Errorf("%d scores are near their upper bounds", tight)
		}
	}
	if _, _, ok := m.Ask(m.Profile(&works[0])).Bounds("nothing", m.Outline(&works[0])); ok {
		t.Error("a theme that is not there")
	}
}
