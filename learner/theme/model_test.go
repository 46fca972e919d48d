package theme

import (
	"testing"
	"time"
)

// TestPresence: works that have a theme are likelier to than those that do not, and a model says how many terms it knows and how large its
// profiles are.
func TestPresence(t *testing.T) {
	t.Parallel()
	works, labels := world(3, 300)
	m := fit(t, basisOf(t, DefaultConfig(), works[:200]), labels, nil)
	if len(m.TermsOf("motif")) != 6 || m.TermsOf("no theme") != nil {
		t.Errorf("terms of motif %q, of no theme %q", m.TermsOf("motif"), m.TermsOf("no theme"))
	}
	var with, without, n, o float64
	for i := range works[200:] {
		w := &works[200+i]
		p := m.Profile(w)
		presence := m.Presence("motif", p)
		if !(presence >= 0 && presence <= 1) || m.Presence("no theme", p) != 0 {
			t.Fatalf("presence %v", presence)
		}
		if len(labels[w.ID]["motif"]) > 0 {
			with, n = with+presence, n+1
		} else {
			without, o = without+presence, o+1
		}
		if least := 8 * (len(p.words) + len(p.probable.likely) + len(p.near.likely)); p.Bytes() < least {
			t.Fatalf("a profile of %d bytes, it has %d in what is likely alone", p.Bytes(), least)
		}
	}
	if with/n < without/o+0.2 {
		t.Errorf("those that have the theme have it by %.2f, the others by %.2f", with/n, without/o)
	}
}

// TestSolved: whoever fits is told of every term and theme that is solved, once, and of those alone that are.
func TestSolved(t *testing.T) {
	t.Parallel()
	works, labels := world(4, 120)
	cfg, told, all := DefaultConfig(), 0, 0
	cfg.Solved = func(terms, of int, took time.Duration) {
		if told, all = told+terms, of; took < 0 {
			t.Errorf("it took %v", took)
		}
	}
	b := basisOf(t, cfg, works)
	m := fit(t, b, labels, nil)
	solved := len(m.spans)
	for _, having := range m.works {
		if len(having) >= enough {
			solved++
		}
	}
	if told != solved || all != solved {
		t.Errorf("told of %d of %d, %d are solved", told, all, solved)
	}
	told = 0
	fit(t, b, labels, m)
	if told != 0 {
		t.Errorf("told of %d where all was known", told)
	}
}
