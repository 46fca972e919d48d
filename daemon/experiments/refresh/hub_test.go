package main

import "testing"

// TestHub: as an entity grows tenfold, an insertion goes on embedding about as many artifacts, while the exact refresh embeds all
// members; and the vector that they see stays within epsilon.
func TestHub(t *testing.T) {
	t.Parallel()
	const epsilon = 0.05
	h, err := newHub(epsilon, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.load(100); err != nil {
		t.Fatal(err)
	}
	for _, to := range []int{150, 500} {
		got, err := h.grow(to)
		if err != nil {
			t.Fatal(err)
		}
		if per := float64(got.embedded) / float64(to-got.from); per < 1 || per > 20 {
			t.Errorf("%.1f artifacts embedded an insertion, up to %d members", per, to)
		}
		d, err := h.deviation(20)
		if err != nil {
			t.Fatal(err)
		}
		if d.pushed == 0 || d.most == 0 {
			t.Errorf("%d members, deviations %+v: nothing was left out, so the test shows nothing", to, d)
		}
	}
	exact, err := newHub(0, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := exact.load(100); err != nil {
		t.Fatal(err)
	}
	got, err := exact.grow(105)
	if err != nil {
		t.Fatal(err)
	}
	if got.embedded < 5*100 {
		t.Errorf("%d artifacts embedded by 5 insertions in exact mode, want every member each time", got.embedded)
	}
}
