package theme

import "testing"

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
			r, ok := q.In(name)
			if !ok {
				t.Fatalf("theme %q is not there", name)
			}
			for j, p := range profiles {
				pair := r.Pair(p)
				there, _ := q.Compare(name, p)
				back, _ := questions[j].Compare(name, profiles[i])
				if pair.Asking != there || pair.Asked != back {
					t.Fatalf("%s of %d and %d: %+v, the two that ask say %+v and %+v", name, i, j, pair, there, back)
				}
				asking, asked := r.Reach(p)
				if asking < there.Score() || asked < back.Score() || r.Most() < asked {
					t.Fatalf("%s of %d and %d: reach %v and %v of scores %v and %v", name, i, j, asking, asked, there.Score(), back.Score())
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
	if _, ok := questions[0].In("nothing"); ok {
		t.Error("a theme that is not there")
	}
}
